"""`python3 <zip> prepare|train|evaluate|monitor`: runs one job and leaves its reason when it fails."""

import importlib
import os
import sys
import traceback
from typing import NoReturn

from . import paths
from .failures import JobFailure

JOBS = {
    "prepare": ".preparation.prepare",
    "train": ".train",
    "evaluate": ".evaluation.evaluate",
    "monitor": ".monitoring.monitor",
}
"""The module of each job, whose `run()` is the job."""
MAX_REASON = 1000


def main() -> int:
    """Run the job named on the command line; its exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in JOBS:
        print(f"usage: python3 <zip> {'|'.join(JOBS)}", file=sys.stderr)
        return 2
    job = sys.argv[1]
    _settle_hashes()
    try:
        importlib.import_module(JOBS[job], __package__).run()
    except JobFailure as failure:
        print(failure.trace, end="", file=sys.stderr)
        reason = str(failure)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
    else:
        return 0
    print(f"{job} failed: {reason}", file=sys.stderr, flush=True)
    _leave(reason[:MAX_REASON])
    return 1


def run() -> NoReturn:
    """Run the job and leave at once.

    Now and then Arrow's threads abort or hold up a process that takes itself down after reading parquet files
    (issues 34314 and 50482 of apache/arrow); the job would have failed although its work was done.
    """
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _settle_hashes() -> None:
    """Start again where texts hash differently in every process: sets, and what is made of them, would differ as well."""
    if "PYTHONHASHSEED" not in os.environ and sys.flags.hash_randomization:
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 (no shell is wanted)


def _leave(reason: str) -> None:
    """SageMaker shows a job's reason from these files: the first for processing, the second for training."""
    folder = paths.root() / "output"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("message", "failure"):
        (folder / name).write_text(reason, encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    run()
