"""The end of a job that a step of a pipeline waits for."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from ...json_api import Record

POLL_SECONDS = 0.1
"""How soon a stopped execution stops its job."""


def wait_for_end(job: Record, stop: threading.Event, stop_job: Callable[[], Any]) -> None:
    """Wait for the end of a job, and call `stop_job` when `stop` is set before it."""
    # Waiting here instead of in DescribeProcessingJob: a request every 0.1 s takes a third of a core.
    while not (ended := job["_ended"].wait(POLL_SECONDS)) and not stop.is_set():
        pass
    if not ended:
        with suppress(ClientError):  # it has ended meanwhile
            stop_job()
        job["_ended"].wait()
