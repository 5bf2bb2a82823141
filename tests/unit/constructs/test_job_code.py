"""The zip that jobs run."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile

import pytest

from model_factory.config import ConfigError, ModelConfig
from model_factory.model.job_code import build_job_code, git_commit

CONFIG = ModelConfig.model_validate(
    {
        "name": "churn",
        "problem": "regression",
        "data": {"label": "y"},
        "gate": {"metric": "rmse", "maximum": 1.5},
    }
)


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.delenv("CODEBUILD_RESOLVED_SOURCE_VERSION", raising=False)
    jobs, project = tmp_path / "jobs", tmp_path / "churn"
    for path, text in {
        jobs / "__init__.py": "",
        jobs / "__main__.py": "def run():\n    print('ran')\n    raise SystemExit(3)\n",
        jobs / "__pycache__" / "x.cpython-312.pyc": "",
        project / "model.py": "X = 1\n",
        project / "data" / "big.csv": "1\n",
        project / "tables" / "codes.json": "{}",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(name="a"):
        return build_job_code(CONFIG, jobs=jobs, project=project, target=tmp_path / "out" / f"{name}.zip")

    return build


def test_zip_has_jobs_project_and_settings_without_data(build):
    with zipfile.ZipFile(build().path) as archive:
        assert archive.namelist() == [
            "__main__.py",
            "jobs/__init__.py",
            "jobs/__main__.py",
            "project/model.py",
            "project/settings.json",
            "project/tables/codes.json",
        ]
        settings = json.loads(archive.read("project/settings.json"))
    assert settings["gate"]["maximum"] == 1.5
    assert settings["training"]["max_runtime"] == 3600.0


def test_same_files_give_same_bytes(build, tmp_path):
    first = build("first")
    for path in tmp_path.rglob("*.py"):
        os.utime(path, (1, 1_000_000_000))
    second = build("second")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest == hashlib.sha256(first.path.read_bytes()).hexdigest()


def test_changed_code_changes_digest(build, tmp_path):
    before = build().digest
    (tmp_path / "churn" / "model.py").write_text("X = 2\n")
    assert build().digest != before


def test_python_runs_zip_and_returns_exit_code(build):
    done = subprocess.run([sys.executable, str(build().path)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("ran\n", 3)


def test_commit_is_marked_dirty_when_files_differ(tmp_path, monkeypatch):
    monkeypatch.delenv("CODEBUILD_RESOLVED_SOURCE_VERSION", raising=False)
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]

    def git(*arguments):
        done = subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "model.py").write_text("1")
    git("add", ".")
    git(*author, "commit", "-q", "-m", "first")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "model.py").write_text("2")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD") + "-dirty"


def test_commit_outside_of_git_is_unknown_or_codebuilds(tmp_path, monkeypatch):
    monkeypatch.delenv("CODEBUILD_RESOLVED_SOURCE_VERSION", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit(tmp_path) == "unknown"
    monkeypatch.setenv("CODEBUILD_RESOLVED_SOURCE_VERSION", "abc")
    assert git_commit(tmp_path) == "abc"


def test_missing_jobs_folder_is_refused(build, tmp_path):
    (tmp_path / "jobs" / "__main__.py").unlink()
    with pytest.raises(ConfigError) as caught:
        build()
    assert str(caught.value).startswith(f"{tmp_path / 'jobs' / '__main__.py'}: there is no such file; ")
    assert "install the library again" in str(caught.value)
    assert not (tmp_path / "out" / "a.zip").exists()


def test_model_folder_without_model_py_is_refused(build, tmp_path):
    (tmp_path / "churn" / "model.py").unlink()
    with pytest.raises(ConfigError) as caught:
        build()
    message = f"{tmp_path / 'churn' / 'model.py'}: there is no such file; it must define features(raw), train(train, "
    assert str(caught.value).startswith(message)


def test_syntax_error_in_model_py_names_file_and_line(build, tmp_path):
    (tmp_path / "churn" / "model.py").write_text("X = 1\ndef features(raw:\n")
    with pytest.raises(ConfigError, match=r"model\.py:2: syntax error: "):
        build()


def test_jobs_of_the_library_are_the_default(tmp_path):
    (tmp_path / "model.py").write_text("X = 1\n")
    code = build_job_code(CONFIG, project=tmp_path, target=tmp_path / "out" / "code.zip")
    with zipfile.ZipFile(code.path) as archive:
        assert {"jobs/__main__.py", "jobs/train.py", "project/model.py"} <= set(archive.namelist())
