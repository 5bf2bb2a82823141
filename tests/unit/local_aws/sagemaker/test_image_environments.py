"""Containers of a known image import the image's libraries and no others of this machine."""

import json
import subprocess
import sys

from local_aws.sagemaker.image_environments import LIBRARIES, ImageEnvironments
from model_factory.core.image import default_image_uri
from tools.image_libraries import TARGET, names_of

IMAGE = default_image_uri("eu-west-1")
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
    assert python in environments


def test_container_of_unknown_image_runs_python_of_this_machine(tmp_path):
    environments = ImageEnvironments(tmp_path)
    own = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1"
    assert [environments.python(image) for image in (own, "image", None)] == [sys.executable] * 3
    assert list(tmp_path.iterdir()) == []


def test_names_of_libraries_match_content_of_images():
    assert json.loads(LIBRARIES.read_text()) == names_of(json.loads(TARGET.read_text())), "run tools/image_libraries.py"


def test_job_and_its_children_cannot_import_other_libraries_of_this_machine(aws):
    arguments = aws.processing(JOB)
    arguments["AppSpecification"]["ImageUri"] = IMAGE
    described = aws.run_job("Processing", arguments)
    assert described["ProcessingJobStatus"] == "Failed"
    assert described["ExitMessage"] == "ModuleNotFoundError: No module named 'moto'"
