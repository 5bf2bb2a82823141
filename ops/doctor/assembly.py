"""The cloud assembly of an app: the stacks of one environment, as `cdk deploy` would deploy them."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..project import EnvironmentSession, UsageError

type Json = Any
_PSEUDO = re.compile(r"\$\{(AWS::\w+)\}")


@dataclass(frozen=True)
class Stack:
    """A synthesized stack.

    `bootstrap_version`: minimum version of the bootstrap stack, None when the stack needs none; `bootstrap_parameter`: name of
    the SSM parameter that holds the account's version. `deploy_role`: ARN of the role that the CLI or the delivery assumes.
    """

    name: str
    template: dict[str, Json]
    bootstrap_version: int | None
    bootstrap_parameter: str | None
    deploy_role: str | None


@contextmanager
def synthesized(root: Path) -> Generator[Path]:
    """Run the app of `root`/cdk.json, without credentials, and yield the folder of its cloud assembly. Raises UsageError."""
    try:
        app: str = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["app"]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{root / 'cdk.json'} cannot be read: {error}; give the folder of an assembly with --app"
        ) from None
    with tempfile.TemporaryDirectory(prefix="model-factory-doctor-") as folder:
        environment = os.environ | {"CDK_OUTDIR": folder, "CDK_VALIDATION": "false"}
        # As the CDK CLI does, with a shell: `app` is a command line.
        done = subprocess.run(app, shell=True, cwd=root, env=environment, capture_output=True, text=True, check=False)  # noqa: S602
        if done.returncode:
            raise UsageError(f"{app!r} failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
        yield Path(folder)


def stacks_of(session: EnvironmentSession, assembly: Path) -> list[Stack]:
    """The assembly's stacks in the environment's account and region, without those of other environments there.

    Raises UsageError when there is none.
    """
    environment, factory = session.environment, session.project.factory
    others = [factory.names(each).prefix for each in factory.environments if each.name != environment.name]
    found = [
        stack
        for location, stack in _stacks(assembly)
        if location == f"aws://{environment.account}/{environment.region}"
        and not any(stack.name.startswith(f"{prefix}-") for prefix in others)
    ]
    if not found:
        raise UsageError(
            f"{assembly} has no stack for {environment.name} ({environment.account}, {environment.region})"
        )
    return found


def _stacks(folder: Path) -> Iterator[tuple[str, Stack]]:
    """Every stack with its environment, also of nested assemblies (the stages of a delivery)."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} is no cloud assembly: {error}") from None
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _stacks(folder / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            account, region = artifact["environment"].removeprefix("aws://").split("/")
            template = json.loads((folder / properties["templateFile"]).read_text(encoding="utf-8"))
            yield (
                artifact["environment"],
                Stack(
                    properties.get("stackName", name),
                    resolve(template, account, region),
                    properties.get("requiresBootstrapStackVersion"),
                    properties.get("bootstrapStackVersionSsmParameter"),
                    resolve(properties.get("assumeRoleArn"), account, region),
                ),
            )


def resolve(value: Json, account: str, region: str) -> Json:
    """The value with pseudo parameters filled in and joins of plain text joined; other functions stay as they are."""
    partition = next((f"aws-{part}" for part in ("cn", "us-gov") if region.startswith(f"{part}-")), "aws")
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    pseudo = {
        "AWS::AccountId": account,
        "AWS::Region": region,
        "AWS::Partition": partition,
        "AWS::URLSuffix": suffix,
    }

    def fill(part: Json) -> Json:
        if isinstance(part, str):
            return _PSEUDO.sub(lambda found: pseudo.get(found[1], found[0]), part) if "${AWS::" in part else part
        if isinstance(part, list):
            return [fill(each) for each in part]
        if not isinstance(part, dict):
            return part
        if len(part) == 1 and part.get("Ref") in pseudo:
            return pseudo[part["Ref"]]
        filled = {key: fill(each) for key, each in part.items()}
        if len(filled) == 1 and "Fn::Join" in filled:
            separator, parts = filled["Fn::Join"]
            if all(isinstance(each, str) for each in parts):
                return separator.join(parts)
        return filled

    return fill(value)
