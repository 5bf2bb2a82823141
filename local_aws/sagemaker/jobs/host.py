"""One host of a job: its folder in place of /opt/ml, its container's process, and its log stream."""

import json
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ...json_api import Record
from ...kept import forget
from ...namespace import Mount
from ...warm import Process
from ..containers.container_view import ML, STOP_SECONDS, ContainerView, kill, terminate
from ..containers.image_environments import NoEnvironmentError
from ..service import Service
from ..state import State, subnets
from ..storage import Storage

FIRST = "algo-1"
FILE_CHARACTERS = 1024
"""What SageMaker reads of /opt/ml/output/failure and /opt/ml/output/message."""


class JobError(Exception):
    """The job failed; the message is its FailureReason."""


@contextmanager
def _known_image() -> Generator[None]:
    """Raises JobError when there is no environment for the image."""
    try:
        yield
    except NoEnvironmentError as error:
        raise JobError(f"ClientError: {error}") from error


class OfJob(Protocol):
    """What a host knows of its job."""

    service: Service
    state: State
    record: Record
    kind: str
    name: str
    arn: str
    s3: Storage

    @property
    def is_ending(self) -> bool:
        """Whether no container of the job may run any more."""
        ...


class Host:
    """A host of a job.

    Args:
        job: The job.
        name: Its name, such as algo-1.
        folder: What it may use on this machine.
        mounts: What its container sees besides /opt/ml. Default: nothing.
    """

    __reduce__ = forget

    def __init__(self, job: OfJob, name: str, folder: Path, mounts: tuple[Mount, ...] = ()) -> None:
        self.job, self.name, self.folder = job, name, folder
        self.root, self.log = folder / "ml", folder / "log.txt"
        self.timed_out = ""
        """The member of StoppingCondition that ended the container, without its unit."""
        self._mounts = mounts
        self._process: Process | None = None

    def path(self, inside: str) -> Path:
        """A path below /opt/ml as a path on this machine, its folder made."""
        path = self.root / inside.removeprefix(ML).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def inside(self, path: str) -> str:
        """A path below /opt/ml as the container's process has to write it."""
        return ContainerView(self.root).path(path)

    def write_config(self, name: str, content: Any) -> None:
        """A JSON file of the container contract."""
        self.path(name).write_text(json.dumps(content, default=str))

    def read_output(self, name: str) -> str | None:
        """The beginning of a file below /opt/ml/output, which is all that SageMaker reads; None when there is none."""
        path = self.path(f"output/{name}")
        return path.read_bytes()[:FILE_CHARACTERS].decode(errors="ignore") if path.is_file() else None

    def run(
        self,
        image: str | None,
        command: list[str],
        environment: dict[str, str],
        max_seconds: float,
        limit: str = "MaxRuntime",
        folder: str = ML,
    ) -> int:
        """Run the container's command in `folder` to its end; its exit code.

        One that takes too long is stopped, `timed_out` is `limit`. Raises JobError when there is no environment for the image.
        """
        job, service = self.job, self.job.service
        with _known_image():
            view = ContainerView(self.root, service.images.python(image))
        accounts, region = service.local.accounts, job.state.region
        credentials = accounts.assume(job.record["RoleArn"], "SageMaker", subnets(job.record), region)
        service.local.faults.add_process(credentials["AWS_ACCESS_KEY_ID"], self.kill)
        variables = view.environment(region, service.local.endpoint_url, credentials) | environment
        with self.log.open("wb") as output:
            where, mounts = view.path(folder), [*view.mounts, *self._mounts]
            self._process = service.starter.start(view.command(command), where, variables, output, mounts)
            if job.is_ending:
                self.kill()
            try:
                code = self._process.wait(max_seconds)
            except subprocess.TimeoutExpired:
                self.timed_out = limit
                self.end()
                code = self._process.wait()
        self._publish_log()
        return code

    def program(self, image: str | None, name: str) -> str | None:
        """The program of an image's own entry point, such as `train`; None when it is not known."""
        with _known_image():
            return self.job.service.images.program(image, name)

    def _publish_log(self) -> None:
        """Source: developer guide, "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs"."""
        job, created = self.job, self.job.record["CreationTime"].timestamp()
        where = f"/aws/sagemaker/{job.kind}Jobs", f"{job.name}/{self.name}-{int(created)}"
        lines = self.log.read_text(errors="replace").splitlines()
        job.service.roles.write_log(job.record["RoleArn"], job.state, where, lines, int(created * 1000))

    def end(self) -> None:
        """SIGTERM to a process that handles it and SIGKILL after two minutes; SIGKILL at once to any other."""
        process = self._process
        if process and process.poll() is None and terminate(process):
            timer = threading.Timer(STOP_SECONDS, kill, (process,))  # not the one of a later attempt
            timer.daemon = True
            timer.start()
        else:
            self.kill()

    def kill(self) -> None:
        """Kill the process and its children."""
        if self._process:
            kill(self._process)
