"""The check of an image: each point of the contract, met or not met, and the exit code 0 if all are met.

docs/how-to/use-an-own-image.md has the contract. The syntax is that of old versions of Python, too, so that the
check can name the version that is needed.
"""

import platform
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Callable

OLDEST, NEWEST = (3, 11), (3, 13)
"""Versions of Python that the jobs are tested with."""
MODEL = Path("/opt/ml/model")


class NotMetError(Exception):
    """A point of the contract is not met; the message says why, and what to do."""


def main() -> int:
    """Run all checks and print a line for each point; the exit code."""
    report = Report()
    if not report.point("Python", python_version):
        return report.end()
    from . import endpoint, libraries, trial

    installed = [report.point(f"library {name}", libraries.installed, name) for name in libraries.MINIMUM]
    if not all(installed):
        return report.end()
    with tempfile.TemporaryDirectory(prefix="check-image-") as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(sys.argv[0]) as archive:
            archive.extractall(folder)
        run = trial.Trial(folder)
        for name, job in run.jobs:
            if not report.point(name, job):
                return report.end()
        endpoint.check(report, run)
    return report.end()


def python_version() -> str:
    """The version, which jobs and libraries must have been tested with."""
    found, name = sys.version_info[:2], platform.python_version()
    if found < OLDEST:
        raise NotMetError(f"{name}: the jobs need Python {OLDEST[0]}.{OLDEST[1]} or newer")
    on_path = shutil.which("python3")
    if on_path is None:
        raise NotMetError("there is no python3 on PATH, with which SageMaker starts the jobs")
    if found > NEWEST:
        return f"{name} (newer than {NEWEST[0]}.{NEWEST[1]}, the newest that the jobs are tested with)"
    return name


class Report:
    """Prints each point as soon as it is known."""

    def __init__(self) -> None:
        self.failed = 0

    def point(self, name: str, check: "Callable[..., str]", *arguments: str) -> bool:
        """Run the check of a point, which returns what it found or raises NotMetError; whether it is met."""
        try:
            found, met = check(*arguments), True
        except NotMetError as error:
            found, met = error, False
        self.failed += not met
        print(f"{'met' if met else 'NOT MET':<8} {name:<24} {found or ''}", flush=True)
        return met

    def end(self) -> int:
        """Print the result; the exit code."""
        what = (
            "the image meets the contract"
            if not self.failed
            else f"{self.failed} not met; the checks after it may be missing"
        )
        print(what, flush=True)
        return 1 if self.failed else 0
