"""The example of an own image meets the contract under the oldest and the newest Python: lock, jobs, `serve`; no Docker.

The environment is that of the embedded AWS for the image; /opt/ml is a folder that the check alone sees. Needs a package index.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from local_aws import namespace
from local_aws.sagemaker.containers.image_installs import NoEnvironmentError, install
from model_factory.ops.image_check.build import build
from model_factory.ops.image_check.inside.check import NEWEST, OLDEST
from tools.model_servers import free_port

FOLDER = Path(__file__).parents[2] / "examples" / "images" / "base"
pytestmark = pytest.mark.skipif(not namespace.available("/opt/ml"), reason="this system has no mounts for /opt/ml")


@pytest.mark.parametrize("version", [OLDEST, NEWEST], ids=lambda version: ".".join(map(str, version)))
def test_example_image_meets_the_contract(version, tmp_path):
    try:
        python = install("base", (FOLDER / "requirements.lock").read_text(), ".".join(map(str, version)))
    except NoEnvironmentError as error:
        pytest.skip(str(error))
    file, ml, bin_of_image = build(tmp_path / "check.pyz"), tmp_path / "ml", tmp_path / "bin"
    ml.mkdir()
    bin_of_image.mkdir()
    (bin_of_image / "serve").symlink_to(FOLDER / "serve")
    command = namespace.command([(str(ml), "/opt/ml", "")], str(tmp_path), [python, str(file)])
    variables = {"PYTHONDONTWRITEBYTECODE": "1", "SAGEMAKER_MODEL_SERVER_WORKERS": "1", "HOME": str(tmp_path)}
    variables["SAGEMAKER_BIND_TO_PORT"] = str(free_port())  # tests of another checkout may use 8080
    path = f"{Path(python).parent}:{bin_of_image}:/usr/bin:/bin"
    done = subprocess.run(command, env=variables | {"PATH": path}, capture_output=True, text=True, check=False)
    assert "NOT MET" not in done.stdout, done.stdout
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "the image meets the contract"), (
        done.stdout + done.stderr
    )
    assert "400" in done.stdout
    assert sys.executable not in done.stdout
