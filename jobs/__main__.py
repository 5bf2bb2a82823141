"""`python3 <zip> prepare|train|trial|evaluate|monitor|score|compare`: runs one job; a failed one writes its reason."""

import importlib
import os
import sys
import traceback
from typing import NoReturn

from . import memory
from .failures import JobFailure, write_reason

JOBS = {
    "prepare": ".preparation.prepare",
    "train": ".train",
    "trial": ".trial",
    "evaluate": ".evaluation.evaluate",
    "monitor": ".monitoring.monitor",
    "score": ".scoring.job",
    "compare": ".reproduction.compare",
}
"""The module of each job, whose `run()` is the job."""


def main() -> int:
    """Run the job named on the command line and return its exit code: 0, 1 for a failed job, 2 for a wrong command line."""
    if len(sys.argv) != 2 or sys.argv[1] not in JOBS:
        print(f"usage: python3 <zip> {'|'.join(JOBS)}", file=sys.stderr)
        return 2
    job = sys.argv[1]
    _fix_hash_seed()
    try:
        with memory.reason_in_advance(job):
            importlib.import_module(JOBS[job], __package__).run()
    except JobFailure as failure:
        print(failure.trace, end="", file=sys.stderr)
        reason = str(failure)
        if isinstance(failure.__cause__, MemoryError):
            reason = memory.too_little(job, reason, memory.read().available)
    except MemoryError as error:
        reason = memory.too_little(job, f"memory ran out: {error or 'an allocation failed'}", memory.read().available)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
    else:
        return 0
    print(f"{job} failed: {reason}", file=sys.stderr, flush=True)
    write_reason(reason)
    return 1


def run() -> NoReturn:
    """Run the job and exit without shutting Python down.

    Arrow's threads sometimes abort or block a process that shuts down after it has read parquet files (issues 34314 and
    50482 of apache/arrow). The job would fail although its work is done.
    """
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _fix_hash_seed() -> None:
    """Restart Python with a fixed hash seed if it has none: the order of sets would differ from process to process."""
    if "PYTHONHASHSEED" not in os.environ and sys.flags.hash_randomization:
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    run()
