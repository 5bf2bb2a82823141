"""Replacements and deletions of stateful resources, from the output of `cdk diff`."""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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


def stateful_changes(root: Path) -> list[StatefulChange]:
    """Run `cdk diff` in the repository. Raises RuntimeError with the last lines of its output when it fails."""
    cdk = Path(sys.executable).with_name("cdk")
    command = [str(cdk), "diff", "--no-color", "--no-change-set"]
    completed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    output = f"{completed.stdout}\n{completed.stderr}"
    if completed.returncode:
        raise RuntimeError("\n".join(output.strip().splitlines()[-5:]))
    return read_diff(output.splitlines())
