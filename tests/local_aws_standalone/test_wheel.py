"""The wheel: its content, and its fixture in an environment that has nothing of this repository."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.bytecode import share_bytecode

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TEST = """
import os
import time
from pathlib import Path

SLEEP = "import os, pathlib, time; pathlib.Path(os.environ['PID_FILE']).write_text(str(os.getpid())); time.sleep(600)"


def aws_variables():
    return [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]


def test_before():
    import sys

    assert aws_variables() == []
    assert not {"boto3", "moto", "flask"} & set(sys.modules)


def test_job(local_aws, local_aws_session, local_aws_role, pytestconfig):
    pid_file = pytestconfig.rootpath / "pid"
    sagemaker = local_aws_session.client("sagemaker")
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    sagemaker.create_processing_job(
        ProcessingJobName="sleep",
        RoleArn=local_aws_role,
        AppSpecification={"ImageUri": "python", "ContainerEntrypoint": ["python3", "-c", SLEEP]},
        ProcessingResources={"ClusterConfig": cluster},
        Environment={"PID_FILE": str(pid_file)},
    )
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.05)
    assert "AWS_ENDPOINT_URL" in aws_variables()
    (pytestconfig.rootpath / "state").write_text(str(local_aws.state_dir))


def test_after():
    # Moto reads its own until the server ends, with the session.
    assert [name for name in aws_variables() if not name.startswith("MOTO_")] == []
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run("uv", "build", "--quiet", "--wheel", ROOT / "local_aws", "--out-dir", folder)
    (built,) = folder.glob("local_aws-*.whl")
    return built


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_holds_only_the_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"local_aws", "local_aws-0.1.0.dist-info"}
    packaged = {name.removeprefix("local_aws/") for name in names if name.startswith("local_aws/")}
    sources = {path.relative_to(ROOT / "local_aws").as_posix() for path in (ROOT / "local_aws").rglob("*.py")}
    assert packaged == sources | {"py.typed", "sagemaker/containers/image_libraries.json"}


def test_wheel_imports_nothing_of_model_factory():
    own = re.compile(r"^\s*(import|from) (model_factory|ops|stacks|jobs)\b", re.MULTILINE)
    assert not [path.name for path in (ROOT / "local_aws").rglob("*.py") if own.search(path.read_text())]


def test_fixture_of_the_installed_wheel_leaves_nothing_behind(wheel, tmp_path):
    environment, project = tmp_path / "venv", tmp_path / "project"
    project.mkdir()
    (project / "test_job.py").write_text(TEST)
    (project / "pytest.ini").write_text("[pytest]\n")
    run("uv", "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin/python"
    run("uv", "pip", "install", "--quiet", "--python", python, wheel, "pytest")
    share_bytecode(environment)
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    output = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project, env=clean)
    assert "3 passed" in output
    assert run(environment / "bin/local-aws", "--version") == "local-aws 0.1.0\n"
    assert not Path((project / "state").read_text()).exists()
    assert not Path(f"/proc/{(project / 'pid').read_text()}").exists()
