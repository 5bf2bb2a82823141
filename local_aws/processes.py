"""Processes with a session of their own: functions and containers."""

import os
import signal
from contextlib import suppress


def kill_group(process_id: int) -> None:
    """SIGKILL to a process and its children, if it still runs."""
    with suppress(ProcessLookupError):
        os.killpg(process_id, signal.SIGKILL)
