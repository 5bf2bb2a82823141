"""A fleet of an endpoint: a model's container as a process on this machine, called over HTTP."""

import http.client
import shutil
import socket
import tarfile
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from ...json_api import Record
from ..containers.container_view import MODEL, ContainerView, kill
from ..containers.image_environments import NoEnvironmentError
from ..containers.read_only import ReadOnlyFolder
from ..service import Service
from ..state import State, find, subnets, vpc_config
from ..storage import Storage

CONTAINER = Path(__file__).parent.with_name("containers") / "model_server.py"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""Header of a request, which the container gets, and of a response, which the caller gets if the container sets it."""
START_SECONDS = 60
PING_SECONDS = 2
RESPONSE_SECONDS = 60
"""Developer guide, "Use your own inference code with hosting services": a container answers /ping within two seconds and
/invocations within 60."""
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each "
    "container in Amazon CloudWatch, resolve the issue, and try again."
)
READ_ONLY = (
    "OSError: [Errno 30] Read-only file system: '{path}'. The container of an endpoint must not write to /opt/ml/model."
)
RETIRE_SECONDS = 2.0


class FleetError(Exception):
    """The container did not become healthy; the message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class Answer:
    """The container's answer to one request."""

    status: int
    body: bytes
    content_type: str
    seconds: float
    custom_attributes: str = ""


class Fleet:
    """One running container of one model. Raises FleetError when it does not start.

    `batch` has the variables of a batch transform job's container. That of an endpoint may only read /opt/ml/model (developer
    guide, "Custom Inference Code with Hosting Services"); the page of batch transform does not say so.
    """

    def __init__(
        self, service: Service, state: State, endpoint: str, model: Record, batch: dict[str, str] | None = None
    ) -> None:
        container = _container(state, model)
        self._root = service.local.state_dir / "endpoints" / f"{endpoint}-{uuid.uuid4().hex[:8]}"
        folder = self._root / "ml" / "model"
        folder.mkdir(parents=True)
        s3 = service.local.accounts.role_client("s3", model["ExecutionRoleArn"], state.region, subnets(model))
        archive = self._root / "download"
        self._service, self._state, self._role = service, state, model["ExecutionRoleArn"]
        self._log_at = (f"/aws/sagemaker/Endpoints/{endpoint}", self._root.name)
        self._logged = 0
        try:
            python = service.images.python(container["Image"])
            program = service.images.program(container["Image"], "serve")
        except NoEnvironmentError as error:
            raise FleetError(str(error)) from error
        try:
            service.roles.create_interfaces(model["ExecutionRoleArn"], vpc_config(model), state)
            service.roles.pull_image(model["ExecutionRoleArn"], container["Image"])
            Storage(s3).download_object(container["ModelDataUrl"], archive)
            with tarfile.open(next(archive.iterdir())) as tar:
                tar.extractall(folder, filter="data")
        except Exception as error:
            raise FleetError(f"Failed to download model data for {endpoint}: {error}") from error
        self.port = _free_port()
        view = ContainerView(self._root / "ml", python)
        self._guard = None if batch is not None or view.make_read_only(MODEL) else ReadOnlyFolder(folder)
        credentials = service.local.accounts.assume(self._role, "SageMaker", subnets(model), state.region)
        environment = view.environment(state.region, service.local.endpoint_url, credentials)
        environment |= {key: view.path(value) for key, value in container.get("Environment", {}).items()}
        environment |= batch or {}
        self._log = (self._root / "log.txt").open("wb")
        self._process = service.starter.start(
            [program] if program else [python, str(CONTAINER), view.path(MODEL), str(self.port)],
            view.cwd,
            # On AWS a container has port 8080 for itself; AWS's toolkits take another one from this variable.
            environment | ({"SAGEMAKER_BIND_TO_PORT": str(self.port)} if program else {}),
            self._log,
            view.mounts,
        )
        self._connections = threading.local()
        service.on_stop(self.close)
        if service.stopping.is_set():
            self.close()
            raise FleetError("the embedded AWS is stopping")
        self._wait_until_healthy(endpoint)

    def _wait_until_healthy(self, endpoint: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PING_SECONDS)
                connection.request("GET", "/ping")
                if connection.getresponse().status == 200 and not (self._guard and self._guard.written()):
                    self._publish_log()
                    return
            except OSError:
                time.sleep(0.05)
        written = self._guard.written() if self._guard else None
        self.close(keep_log=True)
        tail = (self._root / "log.txt").read_text(errors="replace")[-500:]
        if written:
            raise FleetError(READ_ONLY.format(path=f"{MODEL}/{written}"))
        raise FleetError(f"The container for {endpoint} did not pass the ping health check. Its output: {tail}")

    def _publish_log(self) -> None:
        """Write the container's new output to CloudWatch Logs, as the model's role."""
        with (self._root / "log.txt").open(errors="replace") as log:
            log.seek(self._logged)
            lines = log.readlines()
            self._logged = log.tell()
        self._service.roles.write_log(self._role, self._state, self._log_at, lines, int(time.time() * 1000))

    def invoke(
        self,
        body: bytes,
        content_type: str,
        accept: str,
        custom_attributes: str = "",
        seconds: float | None = None,
    ) -> Answer:
        """POST /invocations. A container that has ended responds with 500, one that takes longer than `seconds` with status 0.

        `seconds`: None for the limit of InvokeEndpoint, 60.
        """
        answer = self._post(body, content_type, accept, custom_attributes, seconds or RESPONSE_SECONDS)
        if self._guard and (path := self._guard.written()):
            return Answer(500, READ_ONLY.format(path=f"{MODEL}/{path}").encode(), "text/plain", answer.seconds)
        return answer

    def _post(self, body: bytes, content_type: str, accept: str, custom_attributes: str, seconds: float) -> Answer:
        started = time.perf_counter()
        headers = {"Content-Type": content_type, "Accept": accept or "*/*"}
        if custom_attributes:
            headers[CUSTOM_ATTRIBUTES] = custom_attributes
        for attempt in (1, 2):
            connection = getattr(self._connections, "open", None)
            if connection is None:
                connection = self._connections.open = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.timeout = seconds
            if connection.sock:
                connection.sock.settimeout(seconds)
            try:
                connection.request("POST", "/invocations", body, headers)
                response = connection.getresponse()
                content = response.read()
                kind = response.getheader("Content-Type", "application/octet-stream")
                attributes = response.getheader(CUSTOM_ATTRIBUTES, "")
                return Answer(response.status, content, kind, time.perf_counter() - started, attributes)
            except TimeoutError:
                connection.close()
                self._connections.open = None
                return Answer(0, TIMED_OUT.encode(), "text/plain", time.perf_counter() - started)
            except (OSError, http.client.HTTPException):
                connection.close()
                self._connections.open = None
                if attempt == 2:
                    return Answer(500, b"the container does not answer", "text/plain", time.perf_counter() - started)
        raise AssertionError

    @property
    def alive(self) -> bool:
        """Whether the container's process is running."""
        return self._process.poll() is None

    def last_output(self) -> str:
        """The end of what the container has written."""
        log = self._root / "log.txt"
        return f"Its output: {log.read_text(errors='replace')[-500:]}" if log.exists() else ""

    def retire(self) -> None:
        """End it after its current requests."""
        threading.Timer(RETIRE_SECONDS, self.close).start()

    def close(self, keep_log: bool = False) -> None:
        """End the process and forget its files."""
        kill(self._process)
        self._process.wait()
        if not self._log.closed:
            self._log.close()
            if not self._service.stopping.is_set():
                self._publish_log()
        if self._guard:
            self._guard.release()
        if not keep_log:
            shutil.rmtree(self._root, ignore_errors=True)


def _container(state: State, model: Record) -> Record:
    """The container definition, which a model package may provide."""
    container = model.get("PrimaryContainer") or model["Containers"][0]
    if "ModelPackageName" not in container:
        return container
    package = find(state.packages, container["ModelPackageName"], "model package")
    packaged = package["InferenceSpecification"]["Containers"][0]
    return packaged | {"Environment": {**packaged.get("Environment", {}), **container.get("Environment", {})}}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
