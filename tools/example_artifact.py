"""model.tar.gz of the example model, made by its Prepare and Train in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from local_aws.sagemaker.jobs.job import pack
from model_factory.config import load_model
from model_factory.config.hyperparameters import text
from model_factory.model.job_code import build_job_code

ROOT = Path(__file__).parents[1]
EMPLOYMENT = ROOT / "models" / "employment"
PERIOD = EMPLOYMENT / "data" / "2015.parquet"
"""Census records of 2015, which it is trained on."""
REGION = "eu-west-1"


def example_artifact(folder: Path) -> Path:
    """Run the jobs below `folder`; the path of model.tar.gz. Raises RuntimeError with the output of a job that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    config = load_model(EMPLOYMENT)
    code = build_job_code(config, jobs=ROOT / "jobs", project=EMPLOYMENT, target=folder / "code.zip")
    server = ThreadedMotoServer(port=0)
    server.start()
    try:
        s3 = f"http://localhost:{server.get_host_and_port()[1]}"
        _upload(s3)
        prepared = _job("prepare", code.path, folder / "prepare", s3) / "processing" / "output"
        training = folder / "train"
        for channel, output in {"train": "train", "validation": "validation", "schema": "baseline"}.items():
            shutil.copytree(prepared / output, training / "input" / "data" / channel)
        hyperparameters = {name: text(value) for name, value in config.training.hyperparameters.items()}
        (training / "input" / "config").mkdir()
        (training / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        pack(_job("train", code.path, training, s3) / "model", folder / "model.tar.gz")
    finally:
        server.stop()
    return folder / "model.tar.gz"


def _upload(s3: str) -> None:
    credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "a"}
    client = boto3.client("s3", endpoint_url=s3, region_name=REGION, **credentials)
    client.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    client.upload_file(str(PERIOD), "data", "employment/raw/dt=2015-12-31/records.parquet")


def _job(name: str, code: str | Path, root: Path, s3: str) -> Path:
    """Run a job in `root` instead of /opt/ml; returns `root`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "FACTORY_ML_ROOT": str(root),
        "DATA_URI": "s3://data/employment",
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "jobs",
        "AWS_SECRET_ACCESS_KEY": "jobs",
        "AWS_DEFAULT_REGION": REGION,
    }
    root.mkdir(exist_ok=True)
    command = [sys.executable, str(code), name]
    completed = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise RuntimeError(f"{name} failed:\n{completed.stdout}{completed.stderr}")
    return root
