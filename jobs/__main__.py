"""`python3 <zip> prepare|train|evaluate|monitor`: runs one job and leaves its reason when it fails."""

import importlib
import os
import sys
import traceback

from . import paths
from .failures import JobFailure

JOBS = ("prepare", "train", "evaluate", "monitor")
MAX_REASON = 1000


def main() -> int:
    """Run the job named on the command line; its exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in JOBS:
        print(f"usage: python3 <zip> {'|'.join(JOBS)}", file=sys.stderr)
        return 2
    job = sys.argv[1]
    # OpenMP's threads spin while they wait for each other; on processors that others use too, a fit of one second takes forty.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        importlib.import_module(f"{__package__}.{job}").run()
    except JobFailure as failure:
        reason = str(failure)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
    else:
        return 0
    print(f"{job} failed: {reason}", file=sys.stderr, flush=True)
    _leave(reason[:MAX_REASON])
    return 1


def _leave(reason: str) -> None:
    """SageMaker shows a job's reason from these files: the first for processing, the second for training."""
    folder = paths.root() / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "message").write_text(reason)
    (folder / "failure").write_text(reason)


if __name__ == "__main__":
    sys.exit(main())
