"""Containers of a known image import the image's libraries and no others of this machine."""

import json
import subprocess
import sys

import pytest

from local_aws.sagemaker.containers import image_installs
from local_aws.sagemaker.containers.image_environments import LIBRARIES, ImageEnvironments
from local_aws.sagemaker.containers.image_installs import NoEnvironmentError
from local_aws.sagemaker.roles import image_digest
from local_aws.server import DEFAULT_ACCOUNT
from model_factory.core.image import default_image_uri
from tools.image_libraries import TARGET, installed

IMAGE = default_image_uri("eu-west-1")
OWN = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/mine:1"
IMPORTS = """
import importlib, json, sys
def found(name):
    try:
        return bool(importlib.import_module(name))
    except ModuleNotFoundError:
        return False
print(json.dumps([name for name in sys.argv[1:] if found(name)]))
"""
JOB = """
import os, pathlib, shutil, subprocess, sys
import joblib
root = pathlib.Path(os.environ.get("LOCAL_AWS_ML_ROOT", "/opt/ml"))
(root / "output").mkdir(exist_ok=True)
child = subprocess.run([shutil.which("python3"), "-c", "import joblib, moto"], capture_output=True, text=True)
(root / "output/message").write_text(child.stderr.splitlines()[-1])
import moto
"""


def test_container_of_known_image_has_no_other_libraries_of_this_machine(tmp_path):
    environments = ImageEnvironments(tmp_path)
    python = environments.python(IMAGE)
    modules = ["numpy", "joblib", "pyarrow", "flask", "pydantic", "moto", "model_factory", "aws_cdk", "uv"]
    done = subprocess.run([python, "-c", IMPORTS, *modules], capture_output=True, text=True, check=True, env={})
    assert json.loads(done.stdout) == modules[:4]
    assert environments.python(IMAGE) == python
    assert environments.python(f"{IMAGE.partition(':')[0]}@{image_digest(IMAGE)}") == python
    assert python in environments


def test_image_outside_of_ecr_runs_python_of_this_machine(tmp_path):
    environments = ImageEnvironments(tmp_path)
    assert [environments.python(image) for image in ("image", "python:3.12", None)] == [sys.executable] * 3
    assert list(tmp_path.iterdir()) == []


def test_unknown_image_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(NoEnvironmentError, match=r"libraries of the image team/mine:1: .* --image team/mine=FILE"):
        ImageEnvironments(tmp_path).python(OWN)


@pytest.mark.parametrize("name", ["team/mine", "team/mine:1"])
def test_virtual_environment_is_that_of_its_image(tmp_path, name):
    python = tmp_path / "environment" / "bin" / "python"
    environments = ImageEnvironments(tmp_path, {name: python.parents[1], "team/mine:2": tmp_path / "none"})
    python.parents[1].mkdir()
    with pytest.raises(NoEnvironmentError, match="has no bin/python"):
        environments.python(OWN)
    python.parent.mkdir()
    python.touch()
    assert environments.python(OWN) == str(python)
    assert python not in environments, "a Python of another version cannot run the template"
    with pytest.raises(NoEnvironmentError, match="none, named for the image team/mine:2, does not exist"):
        environments.python(OWN.replace(":1", ":2"))


def test_programs_of_a_virtual_environment_are_those_of_its_image(tmp_path):
    for name in ("python", "train"):
        (tmp_path / "mine/bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine/bin" / name).touch()
    environments = ImageEnvironments(tmp_path, {"team/mine": tmp_path / "mine"})
    assert environments.program(OWN, "train") == str(tmp_path / "mine/bin/train")
    assert environments.program(OWN, "serve") is None
    assert environments.program(IMAGE, "train") is None


def test_image_gets_environment_of_its_requirements_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "requirements.txt"
    file.write_text("# none\n")
    python = ImageEnvironments(tmp_path, {"team/mine": file}).python(OWN)
    assert subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 1
    monkeypatch.setattr(image_installs, "_make", None)
    again = ImageEnvironments(tmp_path, {"team/mine": file})
    assert again.python(OWN) == python
    assert python in again


def test_requirements_that_cannot_be_installed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    file = tmp_path / "requirements.txt"
    file.write_text("no-such-library-of-anybody\n")
    with pytest.raises(NoEnvironmentError, match=r"image team/mine:1 cannot be installed .*no-such-library-of-anybody"):
        ImageEnvironments(tmp_path, {"team/mine": file}).python(OWN)
    assert list((tmp_path / "cache" / "local-aws" / "images").iterdir()) == []


def test_known_image_with_other_versions_is_installed_from_its_lock(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        "local_aws.sagemaker.containers.image_environments.install", lambda *given, **more: asked.update(given=given)
    )
    ImageEnvironments(tmp_path).python(OWN.replace("team/mine:1", "sagemaker-xgboost:3.2-0"))
    name, pins, python = asked["given"]
    assert (name, python) == ("sagemaker-xgboost:3.2-0", "3.12")
    assert {"xgboost==3.2.0", "numpy==2.1.0", "scikit-learn==1.8.0"} <= set(pins.splitlines())
    assert not [pin for pin in pins.splitlines() if pin.startswith(("nvidia-", "cuda-", "multi-model-server"))]


def test_libraries_match_content_of_images():
    assert json.loads(LIBRARIES.read_text()) == installed(json.loads(TARGET.read_text())), (
        "run tools/image_libraries.py"
    )


def test_job_of_unknown_image_fails_in_words(aws):
    arguments = aws.processing(JOB)
    arguments["AppSpecification"]["ImageUri"] = OWN.replace("111111111111", DEFAULT_ACCOUNT)
    described = aws.run_job("Processing", arguments)
    assert described["FailureReason"].startswith(
        "ClientError: the embedded AWS does not know the libraries of the image"
    )


def test_job_and_its_children_cannot_import_other_libraries_of_this_machine(aws):
    arguments = aws.processing(JOB)
    arguments["AppSpecification"]["ImageUri"] = IMAGE
    described = aws.run_job("Processing", arguments)
    assert described["ProcessingJobStatus"] == "Failed"
    assert described["ExitMessage"] == "ModuleNotFoundError: No module named 'moto'"
