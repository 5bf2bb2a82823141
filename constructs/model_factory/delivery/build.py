"""Commands and environment of builds: AWS's standard image, the repository's pinned tools, and the locked CDK CLI."""

import shutil
from pathlib import Path
from typing import Any

from aws_cdk import aws_codebuild as codebuild

from ..config.delivery import Delivery

CLI_LOCK = "cli.lock"
# Without the check for conflicts with the packages of the image, which takes three times as long as the installation.
INSTALL_CLI = f"python3 -m pip install --quiet --no-warn-conflicts --require-hashes --requirement {CLI_LOCK}"
PYTHON = "3.12"
# Downloads of pip and uv, and the marks of templates that passed validation.
CACHED = ["/root/.cache/pip/**/*", "/root/.cache/uv/**/*", ".validated/**/*"]
_SIZES = {
    "small": codebuild.ComputeType.SMALL,
    "medium": codebuild.ComputeType.MEDIUM,
    "large": codebuild.ComputeType.LARGE,
}


def build_environment(delivery: Delivery) -> codebuild.BuildEnvironment:
    """Image and compute type of every build."""
    return codebuild.BuildEnvironment(
        build_image=codebuild.LinuxBuildImage.STANDARD_7_0, compute_type=_SIZES[delivery.build_size], privileged=False
    )


def install_commands(delivery: Delivery) -> list[str]:
    """Commands that install the repository's locked tools."""
    return [delivery.install, 'export PATH="$PWD/.venv/bin:$PATH"']


def test_and_synth(delivery: Delivery) -> list[str]:
    """Commands that run the tests and write the cloud assembly to cdk.out."""
    return [delivery.test, "cdk synth --quiet"]


def python_build_spec() -> dict[str, Any]:
    """Buildspec without commands: the version of Python, and the folders to cache."""
    return {
        "version": "0.2",
        "phases": {"install": {"runtime-versions": {"python": PYTHON}}},
        "cache": {"paths": CACHED},
    }


def cli_build_spec(*commands: str) -> codebuild.BuildSpec:
    """Buildspec that runs the CDK CLI, in the version of the lock file in the cloud assembly, instead of npm's newest."""
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
    """Copy the lock file of the CDK CLI, with its hashes, into the cloud assembly `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name(CLI_LOCK), folder / CLI_LOCK)
