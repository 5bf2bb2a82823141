"""Failures in the user's terms: what a person reads in the pipeline, in the alert, and nowhere a traceback of ours."""

import traceback


class JobFailure(Exception):
    """The job cannot go on; the message says what is wrong, where, and what to do."""


def in_user_code(error: BaseException, what: str, file: str) -> JobFailure:
    """The failure of a user's function: the error, and the user's own line that it came from."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(file)]
    where = f" ({file}, line {frames[-1].lineno}: {frames[-1].line or frames[-1].name})" if frames else f" ({file})"
    return JobFailure(f"{what} raised {type(error).__name__}: {error}{where}")
