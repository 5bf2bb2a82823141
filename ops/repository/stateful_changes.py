"""Replacements and deletions of stateful resources, from the output of `cdk diff`."""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..project import EnvironmentSession

STATEFUL = frozenset(
    {
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::SQS::Queue",
        "AWS::Logs::LogGroup",
        "AWS::SageMaker::ModelPackageGroup",
        "AWS::SSM::Parameter",
        "Custom::EndpointCleanup",
    }
)
"""Types of the library's stacks whose replacement or deletion loses data, messages or a serving endpoint."""

EVERY_STACK = "**"
"""Also those of a delivery's stages, which `cdk diff` leaves out by default."""

_STACK = re.compile(r"^Stack (\S+)")
_RESOURCE = re.compile(r"^\[([-~+])\] (\S+) (\S+)(?: \S+)*?(?: (replace|may be replaced|destroy|orphan))?$")


@dataclass(frozen=True)
class StatefulChange:
    """A stateful resource that a deployment would replace or delete. `impact`: as `cdk diff` prints it."""

    stack: str
    resource_type: str
    path: str
    impact: str

    def __str__(self) -> str:
        return f"{self.stack}: {self.resource_type} {self.path}: {self.impact}"


def read_diff(lines: Iterable[str]) -> list[StatefulChange]:
    """The stateful resources that `cdk diff` reports as replaced, destroyed or orphaned."""
    changes: list[StatefulChange] = []
    stack = ""
    for line in lines:
        if match := _STACK.match(line):
            stack = match[1]
        elif (match := _RESOURCE.match(line.strip())) and match[2] in STATEFUL and match[4]:
            changes.append(StatefulChange(stack, match[2], match[3], match[4]))
    return changes


def stacks_pattern(session: EnvironmentSession) -> str:
    """Pattern of the CDK CLI for the stacks of an environment: those of a delivered one are in its stage."""
    environment = session.environment
    delivered = environment in session.project.factory.delivered
    return f"{environment.name}/*" if delivered else f"{session.names.prefix}-*"


def stateful_changes(root: Path, stacks: str = EVERY_STACK, profile: str | None = None) -> list[StatefulChange]:
    """Run `cdk diff` in the repository: the templates of the app against the deployed ones.

    `stacks`: pattern of the CDK CLI. Raises RuntimeError with the last lines of its output when it fails.
    """
    cdk = Path(sys.executable).with_name("cdk")
    command = [str(cdk), "diff", stacks, "--no-color", "--no-change-set", *(["--profile", profile] if profile else [])]
    completed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    output = f"{completed.stdout}\n{completed.stderr}"
    if completed.returncode:
        raise RuntimeError("\n".join(output.strip().splitlines()[-5:]))
    return read_diff(output.splitlines())
