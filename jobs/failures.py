"""Failures in the user's terms, as the pipeline and the alert show them: without frames of this package."""

import traceback
from pathlib import PurePath

from . import paths

MAX_REASON = 1000
REASON_FILES = ("message", "failure")
"""Files that become FailureReason: the first of a processing job, the second of a training job."""


class JobFailure(Exception):
    """The job cannot continue. The message says what is wrong, where, and what to do; `trace` has the user's own frames."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


def in_user_code(error: BaseException, what: str, project: str) -> JobFailure:
    """The failure of the user's function or module `what`: the error, and the user's line that raised it.

    `project` is the folder of the user's files; the frames above the first of them belong to this package and are left out.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [index for index, frame in enumerate(frames) if frame.filename.startswith(project)]
    text = str(error) or "(no message)"
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{PurePath(error.filename).name}, line {error.lineno}: {(error.text or '').strip()}"
        return JobFailure(f"{what} raised {type(error).__name__}: {error.msg} ({where})")
    if not own:
        return JobFailure(f"{what} raised {type(error).__name__}: {text} (model.py)")
    last = frames[own[-1]]
    where = f"{PurePath(last.filename).name}, line {last.lineno}: {last.line or last.name}"
    trace = "".join([*traceback.format_list(frames[own[0] :]), *traceback.format_exception_only(error)])
    return JobFailure(f"{what} raised {type(error).__name__}: {text} ({where})", trace)


def write_reason(reason: str) -> None:
    """Write the reason for SageMaker, of which it shows 1,000 characters."""
    folder = paths.root() / "output"
    folder.mkdir(parents=True, exist_ok=True)
    for name in REASON_FILES:
        (folder / name).write_text(reason[:MAX_REASON], encoding="utf-8", errors="backslashreplace")


def remove_reason() -> None:
    """Remove a reason that is no longer true."""
    for name in REASON_FILES:
        (paths.root() / "output" / name).unlink(missing_ok=True)
