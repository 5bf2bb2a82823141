"""The real CDK CLI against the embedded AWS: bootstrap accounts, write profiles, deploy apps."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .interfaces import EmbeddedAws
from .toolchain import QUIET

BIN = Path(sys.executable).parent
CDK = BIN / "cdk"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class CdkError(Exception):
    """The CDK CLI failed or is not installed; the message holds the end of its output."""


def bootstrap(
    local: EmbeddedAws,
    accounts: Mapping[str, tuple[str, str]],
    trust: str | None = None,
    options: Sequence[str] = (),
) -> None:
    """Bootstrap each account and region, and write `<state_dir>/aws-config` with a profile for each.

    `accounts` maps profile names to (account id, region); `trust` is an account that may deploy into all of them;
    `options` are further ones of `cdk bootstrap`, such as `--qualifier` with its value or `--bootstrap-customer-key`.
    Raises CdkError.
    """
    bootstrap_places(local, set(accounts.values()), trust, options)
    write_profiles(local, accounts)


def bootstrap_places(
    local: EmbeddedAws, places: Iterable[tuple[str, str]], trust: str | None = None, options: Sequence[str] = ()
) -> None:
    """Bootstrap accounts and regions, as `bootstrap` does, and write no profiles. Raises CdkError."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: _bootstrap_one(local, at[0], at[1], trust, options), sorted(places)))


def write_profiles(local: EmbeddedAws, accounts: Mapping[str, tuple[str, str]]) -> None:
    """Write `<state_dir>/aws-config` with a profile for each account and region, and let this process use it."""
    sections: list[str] = []
    for profile, (account, region) in accounts.items():
        credentials = local.accounts.assume(f"arn:aws:iam::{account}:role/administrator", profile)
        lines = [f"{key.lower()} = {value}" for key, value in credentials.items()]
        sections.append("\n".join([f"[profile {profile}]", f"region = {region}", *lines]))
    config = local.state_dir / "aws-config"
    config.write_text("\n\n".join(sections) + "\n")
    os.environ["AWS_CONFIG_FILE"] = str(config)
    os.environ["AWS_ENDPOINT_URL"] = local.endpoint_url


def _bootstrap_one(local: EmbeddedAws, account: str, region: str, trust: str | None, options: Sequence[str]) -> None:
    credentials = local.accounts.assume(f"arn:aws:iam::{account}:role/administrator", "bootstrap")
    arguments = ["bootstrap", f"aws://{account}/{region}", *options]
    if trust and trust != account:
        # With --trust the CLI requires the policy of the other account's deployments; without it, this is the default.
        arguments += ["--trust", trust, "--cloudformation-execution-policies", ADMINISTRATOR]
    cdk(local, arguments, cwd=local.state_dir, env=credentials)


def cdk(
    local: EmbeddedAws,
    arguments: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run the CDK CLI; its output. `on_line` gets each line at once. Raises CdkError when it fails or is not installed."""
    if not CDK.exists():
        raise CdkError("the CDK CLI is not installed here: run `pip install 'local-aws[cdk]'`")
    process = subprocess.Popen(
        [str(CDK), *arguments],
        cwd=cwd,
        env=_environment(local) | dict(env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if on_line:
            on_line(line.rstrip())
    if process.wait() != 0:
        raise CdkError(f"cdk {' '.join(arguments)} failed:\n{''.join(lines[-40:])}")
    return "".join(lines)


def _environment(local: EmbeddedAws) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return inherited | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": local.endpoint_url,
        "AWS_ACCESS_KEY_ID": "root",
        "AWS_SECRET_ACCESS_KEY": "root",
        "AWS_REGION": "us-east-1",
        "CI": "true",
        **QUIET,
    }
