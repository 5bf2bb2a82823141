"""The check of own images: what is not met is named, with what to do."""

import json
import subprocess
import sys
import threading
import zipfile
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata

import pytest

from model_factory.ops.image_check.build import build
from model_factory.ops.image_check.inside import check, endpoint, libraries
from model_factory.ops.image_check.inside.check import NotMetError, Report
from model_factory.ops.image_check.inside.endpoint import Endpoint
from tools.model_servers import free_port

Version = namedtuple("Version", "major minor micro releaselevel serial")
SCORES = [0.5, 0.25, 0.75]


@pytest.fixture
def answers(monkeypatch, tmp_path):
    """An endpoint that answers `(status, content type, body)`, as a function gives it for a request's body."""
    given = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            status, kind, body = given["answer"](self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(endpoint, "PORT", server.server_port)
    monkeypatch.setattr(endpoint, "expected_scores", lambda *_: SCORES)
    monkeypatch.setattr(endpoint, "MODEL", tmp_path / "model")

    def answering(answer):
        given["answer"] = answer
        return Endpoint(type("Trial", (), {"folder": tmp_path, "artifact": tmp_path})())

    yield answering
    server.shutdown()
    server.server_close()


def csv(status=200, kind="text/csv; model-version=7", scores=SCORES):
    return lambda _: (status, kind, "".join(f"{score}\n" for score in scores))


def test_old_python_is_named(monkeypatch):
    monkeypatch.setattr(sys, "version_info", Version(3, 9, 0, "final", 0))
    with pytest.raises(NotMetError, match=r"the jobs need Python 3\.11 or newer"):
        check.python_version()


def test_image_without_python3_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotMetError, match="there is no python3 on PATH"):
        check.python_version()


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "is not installed: install numpy>=2.0"), ("1.26.4", "1.26.4 is older than 2.0: install numpy>=2.0")],
)
def test_missing_and_old_libraries_are_named(monkeypatch, version, message):
    def installed(name):
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", installed)
    with pytest.raises(NotMetError, match=message):
        libraries.installed("numpy")


def test_library_that_cannot_be_imported_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(NotMetError, match="cannot be imported: ModuleNotFoundError"):
        libraries.installed("joblib")


def test_local_versions_are_compared_by_numbers(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _: "2.10.0+cpu")
    assert libraries.installed("numpy") == "2.10.0+cpu"


def test_endpoint_that_answers_as_artifact_is_met(answers):
    assert answers(csv()).answers_csv() == "3 scores"
    body = json.dumps({"predictions": SCORES})
    assert answers(lambda _: (200, "application/json", body)).answers_json() == "3 scores"
    assert answers(lambda _: (400, "application/json", '{"error": "row 1"}')).refuses() == "row 1"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (csv(status=500), "answered 500"),
        (csv(scores=[0.5, 0.25, 0.7]), r"the scores are \[0.5, 0.25, 0.7\], and those of the artifact's own code"),
        (csv(kind="text/csv"), "does not name the version: pass on what transform_fn returns"),
    ],
)
def test_wrong_answer_is_named(answers, answer, message):
    with pytest.raises(NotMetError, match=message):
        answers(answer).answers_csv()


def test_wrong_input_answered_as_error_of_server_is_named(answers):
    with pytest.raises(NotMetError, match="answered 500, not 400 with a reason"):
        answers(lambda _: (500, "text/html", "oops")).refuses()


def test_endpoint_that_writes_into_model_is_named(answers, tmp_path):
    (tmp_path / "model").mkdir()
    started = answers(csv())
    assert started.model_is_unchanged() == ""
    (tmp_path / "model" / "cache").write_text("x")
    with pytest.raises(NotMetError, match="serve wrote cache: SageMaker mounts the folder read-only"):
        started.model_is_unchanged()


def test_image_without_serve_is_named(answers, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotMetError, match="there is no command `serve`"):
        answers(csv()).start()


def test_server_that_ends_by_itself_is_named(answers, monkeypatch, tmp_path):
    serve = tmp_path / "bin" / "serve"
    serve.parent.mkdir()
    serve.write_text("#!/bin/sh\necho no model\n")
    serve.chmod(0o755)
    (tmp_path / "serving.txt").write_text("SAGEMAKER_PROGRAM=serve.py\n")
    monkeypatch.setenv("PATH", f"{serve.parent}:/usr/bin:/bin")
    started = answers(csv())
    monkeypatch.setattr(endpoint, "PORT", free_port())
    assert started.start() == str(serve)
    started._process.wait()
    with pytest.raises(NotMetError, match=r"serve ended by itself\. Its output: no model"):
        started.wait()
    started.close()


def test_port_that_is_in_use_is_named(answers, monkeypatch):
    monkeypatch.setattr(endpoint.shutil, "which", lambda _: "serve")
    with pytest.raises(NotMetError, match="another process listens on port"):
        answers(csv()).start()


def test_report_counts_what_is_not_met(capsys):
    def refuse():
        raise NotMetError("why")

    report = Report()
    assert (report.point("a", lambda: "1"), report.point("b", refuse), report.end()) == (True, False, 1)
    assert capsys.readouterr().out.splitlines()[:2] == [
        "met      a                        1",
        "NOT MET  b                        why",
    ]


def test_file_has_check_jobs_and_serving_variables(tmp_path):
    with zipfile.ZipFile(build(tmp_path / "new" / "check.pyz")) as archive:
        names = archive.namelist()
        assert {"__main__.py", "inside/check.py", "inside/endpoint.py", "code.zip", "serving.txt"} <= set(names)
        assert "SAGEMAKER_PROGRAM=serve.py\n" in archive.read("serving.txt").decode()


def test_check_begins_with_python_alone(tmp_path):
    """-S: no library that is installed can be imported."""
    command = [sys.executable, "-S", str(build(tmp_path / "check.pyz"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "NOT MET  library pandas           is not installed: install pandas>=2.2" in done.stdout
