"""The end of a training by SageMaker: SIGTERM, then SIGKILL after 120 seconds (API reference, StopTrainingJob).

It comes when spot capacity is taken back, when a time limit is reached, and when somebody stops the job. The first process of a
container ignores SIGTERM without a handler, so that SageMaker would wait, and bill, for all of the 120 seconds.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

FINISH_SECONDS = 110
"""Time for a model that writes checkpoints; the rest of the 120 seconds is for what the process has still to write."""
EXIT_CODE = 128 + signal.SIGTERM


def _handler(number: int, frame: FrameType | None) -> None:
    """Nothing: the thread of `announced` gets the signal too, also while the main thread is in code of a library."""


@contextmanager
def announced(*, checkpoints: bool) -> Generator[None]:
    """Say in the log that SIGTERM came and end the process: at once, or after FINISH_SECONDS for a model with checkpoints.

    A handler that the model sets with `signal.signal` is called as well, and gets the same time. Only for the main thread.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.signal(signal.SIGTERM, _handler)
    descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(reader, checkpoints), daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        signal.signal(signal.SIGTERM, before)
        writer.close()
        watch.join()
        reader.close()


def _watch(reader: socket.socket, checkpoints: bool) -> None:
    """Wait for the signal's number, which Python writes as soon as the signal comes, then for the end of the training."""
    while received := reader.recv(1):
        if received[0] == signal.SIGTERM:
            break
    else:
        return
    own: Any = signal.getsignal(signal.SIGTERM)
    if checkpoints or own is not _handler:
        print(
            f"train     SageMaker ends this job (SIGTERM): the model has {FINISH_SECONDS} s to finish its checkpoint",
            flush=True,
        )
        end = time.monotonic() + FINISH_SECONDS
        while (left := end - time.monotonic()) > 0:
            reader.settimeout(left)
            try:
                if not reader.recv(1):
                    return
            except TimeoutError:
                break
        print(f"train     ends after {FINISH_SECONDS} s without the model's end", flush=True)
    else:
        print(
            "train     SageMaker ends this job (SIGTERM); the next attempt starts at the beginning, because train has no "
            "parameter checkpoints",
            flush=True,
        )
    os._exit(EXIT_CODE)
