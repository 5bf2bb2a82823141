"""Checkpoints of a training job: the folder of the container and the objects below CheckpointConfig's S3Uri are kept equal.

Source: SageMaker developer guide, 'Checkpoints in Amazon SageMaker AI': objects that exist are written to the folder when the job
starts; files that are written or deleted in the folder later are written or deleted in S3.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from botocore.exceptions import ClientError

from ..containers.container_view import ML
from .host import Host, JobError

DEFAULT_PATH = f"{ML}/checkpoints/"
INTERVAL_SECONDS = 0.2
type Files = dict[Path, tuple[int, int]]
"""Time of the last change and size of each file."""


class Checkpoints:
    """The checkpoints of a host; nothing happens for a job without CheckpointConfig. Raises JobError for a path elsewhere."""

    def __init__(self, host: Host) -> None:
        config = host.job.record.get("CheckpointConfig")
        self._host, self._job, self._uri = host, host.job, ""
        self._known: Files = {}
        if not config:
            return
        self._path = config.get("LocalPath", DEFAULT_PATH)
        if not self._path.startswith(f"{ML}/"):
            raise JobError(f"ClientError: the embedded AWS has checkpoints below {ML} only, not in {self._path}")
        self._uri = f"{config['S3Uri'].rstrip('/')}/"

    def fetch(self) -> None:
        """Fill the folder of a new instance. Raises JobError when the role may not."""
        if not self._uri:
            return
        self._folder = self._host.path(f"{self._path.rstrip('/')}")
        self._folder.mkdir(exist_ok=True)
        with self._as_role(), suppress(FileNotFoundError):  # there are none yet
            self._job.s3.download(self._uri, self._folder)
        self._known = self._files()

    @contextmanager
    def kept_in_s3(self) -> Generator[None]:
        """Copy what changes until the end, and once after it. Raises JobError when the role may not."""
        if not self._uri:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._copy_until, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        with self._as_role():
            self._copy()

    def _copy_until(self, ended: threading.Event) -> None:
        while not ended.wait(INTERVAL_SECONDS):
            with suppress(ClientError):  # the copy at the end reports it
                self._copy()

    def _copy(self) -> None:
        found = self._files()
        for path, version in found.items():
            if self._known.get(path) != version:
                with suppress(FileNotFoundError):  # renamed meanwhile
                    self._job.s3.upload_file(path, self._object(path), None)
                    self._known[path] = version
        for path in self._known.keys() - found.keys():
            self._job.s3.delete_object(self._object(path))
            del self._known[path]

    def _object(self, path: Path) -> str:
        return self._uri + path.relative_to(self._folder).as_posix()

    def _files(self) -> Files:
        found: Files = {}
        for path in sorted(self._folder.rglob("*")):
            with suppress(FileNotFoundError):
                if path.is_file():
                    state = path.stat()
                    found[path] = (state.st_mtime_ns, state.st_size)
        return found

    @contextmanager
    def _as_role(self) -> Generator[None]:
        try:
            yield
        except ClientError as error:
            raise JobError(f"ClientError: checkpoints at {self._uri}: {error}") from error
