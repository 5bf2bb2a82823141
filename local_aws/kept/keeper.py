"""When state is kept: some seconds after a change, between requests, and when the server stops.

A child of the process writes it: what a fork copies does not change meanwhile, and requests go on.
"""

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import state_file
from .stores import Stores

log = logging.getLogger(__name__)
SAVE_SECONDS = 5.0
"""From a change to the next writing, at least."""
QUIET_SECONDS = 5.0
"""How long writing waits for a moment without requests. Both together are what a server that is killed may lose."""


class Keeper:
    """Writes the stores of one server to `path`; `inherited`: file descriptors that its children close at once."""

    def __init__(self, path: Path, writer: state_file.Writer, stores: Stores, inherited: Sequence[int] = ()) -> None:
        self._path, self._writer, self._stores, self._inherited = path, writer, stores, inherited
        self._requests = 0
        self._quiet = threading.Condition()
        self._changed, self._stop = threading.Event(), threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._save_regularly, name="kept-state", daemon=True)

    def restore(self) -> state_file.Saved | None:
        """Put the state in the file back, and return it; None when there is none. Raises StateFileError."""
        saved = state_file.read(self._path, self._writer)
        if saved is None:
            return None
        try:
            self._stores.restore(saved.content)
        except Exception as error:
            raise state_file.StateFileError(
                f"the state in {self._path} cannot be read ({type(error).__name__}: {error}). "
                + state_file.begin_anew(self._path)
            ) from error
        return saved

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self, flush: Callable[[], None]) -> None:
        """Write for the last time, after `flush`; requests that run have QUIET_SECONDS to end."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()
        flush()
        self.save(at_stop=True)

    def changed(self) -> None:
        """Something that is kept has changed."""
        self._changed.set()

    @contextmanager
    def request(self, *, changes: bool) -> Generator[None]:
        """While this is open, a request is served."""
        with self._quiet:
            self._requests += 1
        try:
            yield
        finally:
            with self._quiet:
                self._requests -= 1
                self._quiet.notify_all()
            if changes:
                self._changed.set()

    def save(self, *, at_stop: bool = False) -> None:
        """Write the state as it is at the next moment without requests, or at the latest in QUIET_SECONDS.

        A state that cannot be written leaves the file as it is, with an error in the log.
        """
        with self._writing:
            reading, writing = os.pipe()
            with self._quiet:
                self._quiet.wait_for(lambda: not self._requests, QUIET_SECONDS)
                self._changed.clear()
                child = _fork()
                if child == 0:
                    self._write_and_exit(writing, at_stop)
            os.close(writing)
            with os.fdopen(reading, errors="replace") as answer:
                failure = answer.read()
            os.waitpid(child, 0)
        if failure:
            log.error("the state could not be kept in %s: %s", self._path, failure)

    def _write_and_exit(self, answer: int, at_stop: bool) -> None:
        code = 1
        try:
            for descriptor in self._inherited:  # the lock and the port are free as soon as the server has ended
                os.close(descriptor)
            state_file.write(self._path, self._writer, self._stores.dump(), at_stop=at_stop)
            code = 0
        except BaseException as error:
            os.write(answer, f"{type(error).__name__}: {error}".encode()[:4096])
        finally:
            os._exit(code)

    def _save_regularly(self) -> None:
        while not self._stop.is_set():
            self._changed.wait()
            if self._stop.wait(SAVE_SECONDS):
                return
            started = time.monotonic()
            self.save()
            # A large state takes a core for a while: not more often than a fifth of the time.
            self._stop.wait(4 * (time.monotonic() - started))


def _fork() -> int:
    with warnings.catch_warnings():
        # The child only writes: it neither takes a lock that another thread may have had nor starts a thread.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
