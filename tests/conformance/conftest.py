"""Fixtures: an artifact of the deployed jobs, served by AWS's toolkit and by the embedded AWS."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from local_aws.sagemaker.containers import pack
from model_factory.config import load_model
from model_factory.config.hyperparameters import text
from model_factory.model.job_code import build_job_code

from . import servers

ROOT = Path(__file__).parents[2]
EMPLOYMENT = ROOT / "models" / "employment"
PERIOD = EMPLOYMENT / "data" / "2015.parquet"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "jobs", "AWS_SECRET_ACCESS_KEY": "jobs", "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.fixture(scope="session", autouse=True)
def toolkit_environment():
    """Installs AWS's toolkit into .venv-conformance, unless the lock file's packages are installed."""
    if not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("AWS's toolkit is published as source: install a C compiler (for example: apt-get install gcc)")
    subprocess.run([ROOT / "tools" / "make-conformance-venv"], check=True)


@pytest.fixture(scope="session")
def records():
    """Census records of 2015."""
    return pd.read_parquet(PERIOD)


@pytest.fixture(scope="session")
def s3():
    server = ThreadedMotoServer(port=0)
    server.start()
    yield f"http://localhost:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(scope="session")
def archive(tmp_path_factory, s3):
    """model.tar.gz of a run of Prepare and Train."""
    folder = tmp_path_factory.mktemp("artifact")
    config = load_model(EMPLOYMENT)
    code = build_job_code(config, jobs=ROOT / "jobs", project=EMPLOYMENT, target=folder / "code.zip")
    client = boto3.client(
        "s3", endpoint_url=s3, aws_access_key_id="a", aws_secret_access_key="a", region_name="us-east-1"
    )
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    client.upload_file(str(PERIOD), "data", "employment/raw/dt=2015-12-31/records.parquet")

    prepared = _job("prepare", code.path, folder / "prepare", s3) / "processing" / "output"
    training = folder / "train"
    for channel, output in {"train": "train", "validation": "validation", "schema": "baseline"}.items():
        shutil.copytree(prepared / output, training / "input" / "data" / channel)
    hyperparameters = {name: text(value) for name, value in config.training.hyperparameters.items()}
    (training / "input" / "config").mkdir()
    (training / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    pack(_job("train", code.path, training, s3) / "model", folder / "model.tar.gz")
    return folder / "model.tar.gz"


def _job(name, code, root, s3):
    """Run a job in `root` instead of /opt/ml; returns `root`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "FACTORY_ML_ROOT": str(root),
        "DATA_URI": "s3://data/employment",
        "AWS_ENDPOINT_URL": s3,
        **CREDENTIALS,
    }
    root.mkdir(exist_ok=True)
    completed = subprocess.run(
        [sys.executable, code, name], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return root


@pytest.fixture(scope="session")
def aws(archive, tmp_path_factory):
    with servers.toolkit(archive, tmp_path_factory.mktemp("toolkit")) as server:
        yield server


@pytest.fixture(scope="session")
def embedded(archive, tmp_path_factory):
    with servers.embedded(archive, tmp_path_factory.mktemp("embedded")) as server:
        yield server
