"""The endpoint: `serve` with an artifact in /opt/ml/model, asked as SageMaker asks it.

Limits: SageMaker developer guide, 'Custom Inference Code with Hosting Services' (ping within 2 s, healthy within 8 minutes,
answers within 60 s, SIGTERM and SIGKILL 30 s later, /opt/ml/model read-only).
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .check import MODEL, NotMetError, Report
from .trial import Trial, expected_scores

PORT = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
"""SageMaker sets the variable where several containers share an instance; then `serve` has to listen there."""
PING_SECONDS, START_SECONDS, ANSWER_SECONDS, STOP_SECONDS = 2, 8 * 60, 60, 30
ROWS: "list[list[object]]" = [[0.25, "red"], [-1.5, "blue"], [2.0, "green"]]
NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
"""As with network isolation, a package index cannot be reached."""


def check(report: Report, trial: Trial) -> None:
    """Start `serve`, check each point, and end it."""
    endpoint = Endpoint(trial)
    try:
        if not report.point("serve is on PATH", endpoint.start):
            return
        if not report.point("GET /ping", endpoint.wait):
            return
        for name, point in (
            ("POST /invocations, CSV", endpoint.answers_csv),
            ("POST /invocations, JSON", endpoint.answers_json),
            ("wrong input is 400", endpoint.refuses),
            ("/opt/ml/model unchanged", endpoint.model_is_unchanged),
            ("SIGTERM ends it", endpoint.ends),
        ):
            report.point(name, point)
    finally:
        endpoint.close()


class Endpoint:
    """A process of `serve`."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._process: subprocess.Popen[bytes] | None = None
        self._log = trial.folder / "serve.log"
        self._before: list[tuple[str, int]] = []
        self._started = 0.0

    def start(self) -> str:
        """Start `serve` as CreateModel does, without arguments of ours."""
        command = shutil.which("serve")
        if command is None:
            raise NotMetError(
                "there is no command `serve`, which SageMaker runs: add an executable file with that name to PATH"
            )
        with socket.socket() as taken:
            if taken.connect_ex(("127.0.0.1", PORT)) == 0:
                raise NotMetError(f"another process listens on port {PORT} before serve is started")
        try:
            shutil.copytree(self._trial.artifact, MODEL, dirs_exist_ok=True)
        except OSError as error:
            raise NotMetError(
                f"the check cannot write to {MODEL}, where SageMaker puts the artifact: {error}; start the container with a "
                f"volume there: docker run --tmpfs /opt/ml:mode=1777 …"
            ) from None
        self._before = _listing()
        lines = (self._trial.folder / "serving.txt").read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines)
        self._started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [command],
                env={**os.environ, **NO_NETWORK, **variables, "MODEL_VERSION": "7"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return command

    def wait(self) -> str:
        """Healthy within eight minutes: 200 to a ping within two seconds."""
        while time.monotonic() - self._started < START_SECONDS:
            if self._process is None or self._process.poll() is not None:
                raise NotMetError(f"serve ended by itself. Its output: {self._output()}")
            try:
                status, _, _ = self._request("GET", "/ping", PING_SECONDS)
                if status == 200:
                    return f"200 after {time.monotonic() - self._started:.1f} s"
            except OSError:
                pass
            time.sleep(0.2)
        raise NotMetError(f"no 200 on port {PORT} within {START_SECONDS} s. Its output: {self._output()}")

    def answers_csv(self) -> str:
        """The artifact's own scores, and the version in the content type."""
        body = "".join(",".join(map(str, row)) + "\n" for row in ROWS)
        status, kind, text = self._invoke(body, "text/csv", "text/csv")
        if status != 200:
            raise NotMetError(f"answered {status}: {text[:300]}")
        self._compare([float(line) for line in text.split()])
        if "model-version=7" not in kind:
            raise NotMetError(
                f"the content type {kind!r} of the answer does not name the version: pass on what transform_fn returns, with its "
                "headers"
            )
        return f"{len(ROWS)} scores"

    def answers_json(self) -> str:
        """The same for JSON."""
        instances = [dict(zip(("x", "colour"), row, strict=True)) for row in ROWS]
        status, _, text = self._invoke(json.dumps({"instances": instances}), "application/json", "application/json")
        if status != 200:
            raise NotMetError(f"answered {status}: {text[:300]}")
        self._compare(json.loads(text)["predictions"])
        return f"{len(ROWS)} scores"

    def refuses(self) -> str:
        """A row with a text in place of a number."""
        status, _, text = self._invoke("abc,red\n", "text/csv", "application/json")
        if status != 400 or "error" not in text:
            raise NotMetError(f"a text in place of a number is answered {status}, not 400 with a reason: {text[:200]}")
        return json.loads(text)["error"]

    def model_is_unchanged(self) -> str:
        """SageMaker mounts the folder read-only."""
        if changed := sorted(name for name, _ in set(_listing()) ^ set(self._before)):
            raise NotMetError(
                f"serve wrote {changed[0]}: SageMaker mounts the folder read-only (bytecode: set PYTHONDONTWRITEBYTECODE=1)"
            )
        return ""

    def ends(self) -> str:
        """Within 30 seconds."""
        assert self._process  # noqa: S101 (for type checkers)
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotMetError(
                f"it still runs after {STOP_SECONDS} s, when SageMaker kills it: `serve` must end with `exec <server>`"
            ) from None
        return f"after {time.monotonic() - began:.1f} s"

    def close(self) -> None:
        """Kill what is left."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _compare(self, scores: "list[float]") -> None:
        wanted = expected_scores(self._trial, ROWS)
        if scores != wanted:
            raise NotMetError(f"the scores are {scores}, and those of the artifact's own code {wanted}")

    def _invoke(self, body: str, content_type: str, accept: str) -> "tuple[int, str, str]":
        try:
            return self._request(
                "POST", "/invocations", ANSWER_SECONDS, body, {"Content-Type": content_type, "Accept": accept}
            )
        except OSError as error:
            raise NotMetError(f"no answer within {ANSWER_SECONDS} s: {error}") from None

    def _request(
        self, method: str, path: str, seconds: float, body: str = "", headers: "dict[str, str] | None" = None
    ) -> "tuple[int, str, str]":
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=seconds)
        try:
            connection.request(method, path, body.encode(), headers or {})
            response: Any = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def _output(self) -> str:
        return self._log.read_text(errors="replace")[-1500:].strip()


def _listing() -> "list[tuple[str, int]]":
    return [
        (str(path.relative_to(MODEL)), path.stat().st_mtime_ns)
        for path in sorted(Path(MODEL).rglob("*"))
        if path.is_file()
    ]
