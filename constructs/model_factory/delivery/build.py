"""What builds run, on AWS's standard image: the tools that the repository pins, and the locked CDK CLI."""

import shutil
from pathlib import Path
from typing import Any

from aws_cdk import aws_codebuild as codebuild

from ..config.delivery import Delivery

CLI_LOCK = "cli.lock"
# Looking for conflicts among all that the image has would take three times as long as the rest of it.
INSTALL_CLI = f"python3 -m pip install --quiet --no-warn-conflicts --require-hashes --requirement {CLI_LOCK}"
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


def copy_cli_lock(folder: Path) -> None:
    """Copy the lock file of the CDK CLI, hashes included, next to the templates in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name(CLI_LOCK), folder / CLI_LOCK)
