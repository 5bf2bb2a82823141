"""Servers for a model.tar.gz, each a process: AWS's serving toolkit, the embedded AWS's container, and that of own images."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local_aws.sagemaker.hosting.fleet import CONTAINER
from model_factory.model.registration import SERVING_ENVIRONMENT as SERVED

ROOT = Path(__file__).parents[1]
TOOLKIT = ROOT / ".venv-conformance" / "bin"
START_SECONDS = 90
SERVING_ENVIRONMENT = SERVED | {"MODEL_VERSION": "7"}
"""What the deploy function gives the container: with the model package's variables, the version."""
# A request to the network fails at once, as on an endpoint with network isolation.
NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


class NotHealthy(Exception):
    """The server ended, or did not respond to /ping in time; the message is its log."""


@dataclass(frozen=True)
class Response:
    """A response; `version` is the parameter of its content type, `attributes` its custom attributes."""

    status: int
    content_type: str
    body: str
    version: str = ""
    attributes: str | None = None


@dataclass
class Server:
    """A server process and its port."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Response:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            kind, _, parameters = response.getheader("Content-Type", "").partition(";")
            version = parameters.strip() if "version" in parameters else ""
            attributes = response.getheader("X-Amzn-SageMaker-Custom-Attributes")
            return Response(response.status, kind, response.read().decode(errors="replace"), version, attributes)
        finally:
            connection.close()

    def invoke(self, body: str | bytes, content_type: str, accept: str) -> Response:
        """POST /invocations with the headers of InvokeEndpoint."""
        content = body if isinstance(body, bytes) else body.encode()
        return self.request("POST", "/invocations", content, {"Content-Type": content_type, "Accept": accept})

    def wait(self) -> "Server":
        """Wait until /ping succeeds. Raises NotHealthy."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                if self.request("GET", "/ping").status == 200:
                    return self
            time.sleep(0.1)
        raise NotHealthy(self.log.read_text(errors="replace")[-3000:])


@contextmanager
def toolkit(
    archive: Path, root: Path, environment: dict[str, str] = SERVING_ENVIRONMENT, workers: int = 1
) -> Iterator[Server]:
    """Run AWS's toolkit on a model.tar.gz, with a number of worker processes. Raises NotHealthy."""
    folder, port, installed = _unpack(archive, root), free_port(), root / "site-packages"
    installed.mkdir()
    settings = {
        # As in AWS's image, with the module of this folder.
        "SAGEMAKER_SERVING_MODULE": "framework_module:main",
        # Instead of /opt/ml, port 8080 and nginx, which only buffers requests to gunicorn.
        "SAGEMAKER_BASE_DIR": str(root),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_USE_NGINX": "false",
        "SAGEMAKER_MODEL_SERVER_WORKERS": str(workers),
        # `pip install .` of the user's code writes to this folder, because all runs share the environment.
        "PIP_TARGET": str(installed),
        "PYTHONPATH": os.pathsep.join([str(installed), str(Path(__file__).parent)]),
        "PATH": f"{TOOLKIT}{os.pathsep}/usr/bin:/bin",
    }
    command = [str(TOOLKIT / "python"), "-m", "sagemaker_containers.cli.serve"]
    with _running(command, root, port, settings | NO_NETWORK, environment, folder) as server:
        yield server


@contextmanager
def embedded(archive: Path, root: Path, environment: dict[str, str] = SERVING_ENVIRONMENT) -> Iterator[Server]:
    """Run the container of the embedded AWS on a model.tar.gz, with the command of its endpoints."""
    folder, port = _unpack(archive, root), free_port()
    settings = {"PATH": os.environ["PATH"], "FACTORY_ML_ROOT": str(root)}
    with _running(
        [sys.executable, str(CONTAINER), str(folder), str(port)], root, port, settings, environment, folder
    ) as server:
        yield server


@contextmanager
def own_image(archive: Path, root: Path, environment: dict[str, str] = SERVING_ENVIRONMENT) -> Iterator[Server]:
    """Run the application that the artifact carries, with the server of the example of an own image."""
    folder, port = _unpack(archive, root), free_port()
    gunicorn = [str(TOOLKIT / "python"), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command = [*gunicorn, "--chdir", str(folder / "code"), "wsgi:app"]
    with _running(command, root, port, {"PATH": "/usr/bin:/bin"} | NO_NETWORK, environment, folder) as server:
        yield server


@contextmanager
def _running(
    command: list[str], root: Path, port: int, settings: dict[str, str], environment: dict[str, str], folder: Path
) -> Iterator[Server]:
    log = root / "log.txt"
    variables = {name: value.replace("/opt/ml/model", str(folder)) for name, value in environment.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={"HOME": str(root), "PYTHONDONTWRITEBYTECODE": "1"} | settings | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Server(port, process, log).wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _unpack(archive: Path, root: Path) -> Path:
    folder = root / "model"
    folder.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
