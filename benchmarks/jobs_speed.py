"""Seconds, CPU seconds and peak memory of each job of the example; each job is a process, as on SageMaker.

`python -m benchmarks.jobs_speed [rows]`: the job code of models/employment with census rows (default 56,000), and
moto's server for S3 and the registry. The last line is an import of the numerical libraries, the minimum of every job.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from moto.server import ThreadedMotoServer

from local_aws.sagemaker.jobs.job import pack
from model_factory.config import ModelConfig, load_model
from model_factory.model.job_code import build_job_code

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "models" / "employment"
IMPORTS = "import numpy, pandas, pyarrow.parquet, sklearn.ensemble"
GROUP = "bench-employment"
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Cost:
    """Time and memory of one process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def line(self, name: str) -> str:
        """A line of the table."""
        return f"{name:<18}{self.seconds:8.2f} s{self.cpu_seconds:8.2f} s cpu{self.peak_bytes / 1e6:8.0f} MB"


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a process to its end. Raises CalledProcessError after printing its output."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        # getrusage's peak of a child includes the memory of this process at the fork, so VmHWM is read instead.
        status, peak = Path(f"/proc/{process.pid}/status"), 0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            marks = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
            peak = max([peak, *map(int, marks)])
            time.sleep(POLL_SECONDS)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        if process.returncode:
            output.seek(0)
            print(output.read(), file=sys.stderr)
            raise subprocess.CalledProcessError(process.returncode, command)
    usage = ended[2]
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak * 1024)


class Bench:
    """Runs the jobs of one model in folders; data and registry are in moto."""

    def __init__(self, folder: Path, endpoint: str, config: ModelConfig, project: Path = EXAMPLE) -> None:
        self.folder = folder
        self.code = build_job_code(config, jobs=ROOT / "jobs", project=project, target=folder / "code.zip").path
        self.environment = os.environ | {
            "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-west-1", "DATA_URI": "s3://data/employment", "MODEL_NAME": "employment",
            "MODEL_PACKAGE_GROUP": GROUP, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "",
        }  # fmt: skip
        self.config = config

    def client(self, service: str) -> Any:
        """A boto3 client of the moto server."""
        return boto3.client(
            service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="eu-west-1",
            aws_access_key_id="test", aws_secret_access_key="test",  # noqa: S106 (moto takes any)
        )  # fmt: skip

    def job(self, name: str) -> Cost:
        """Run one job in its folder."""
        environment = self.environment | {"FACTORY_ML_ROOT": str(self.folder / name)}
        return measure([sys.executable, str(self.code), name], environment)

    def upload(self, path: Path, day: str) -> None:
        """Upload a file to the partition of a day."""
        s3 = self.client("s3")
        if not s3.list_buckets()["Buckets"]:
            s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        s3.upload_file(str(path), "data", f"employment/raw/dt={day}/{path.name}")

    def upload_rows(self, rows: int) -> None:
        """Upload rows of the example, one object per year."""
        years = sorted((EXAMPLE / "data").glob("*.parquet"))
        for year in years:
            table = pd.read_parquet(year).sample(rows // len(years), replace=rows > 16_000 * len(years), random_state=0)
            path = self.folder / year.name
            table.to_parquet(path, index=False)
            self.upload(path, f"{year.stem}-01-01")

    def copy_training_input(self) -> None:
        """Copy Prepare's outputs and the hyperparameters to the input folders of Train."""
        output, train_input = self.folder / "prepare/processing/output", self.folder / "train/input"
        for part in ("train", "validation"):
            shutil.copytree(output / part, train_input / "data" / part)
        shutil.copytree(output / "baseline", train_input / "data/schema")
        (train_input / "config").mkdir()
        texts = {name: json.dumps(value) for name, value in self.config.training.hyperparameters.items()}
        (train_input / "config/hyperparameters.json").write_text(json.dumps(texts))

    def copy_evaluation_input(self) -> None:
        """Copy the inputs of Evaluate, and register the artifact as approved version, the champion."""
        evaluate_input = self.folder / "evaluate/processing/input"
        (evaluate_input / "model").mkdir(parents=True)
        pack(self.folder / "train/model", evaluate_input / "model/model.tar.gz")
        for part in ("test", "baseline", "report"):
            shutil.copytree(self.folder / "prepare/processing/output" / part, evaluate_input / part)
        self.client("s3").upload_file(str(evaluate_input / "model/model.tar.gz"), "data", "champion/model.tar.gz")
        sagemaker = self.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        container = {"Image": "scikit-learn", "ModelDataUrl": "s3://data/champion/model.tar.gz"}
        sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )


def main(rows: int) -> None:
    """Print the table."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        with tempfile.TemporaryDirectory() as temporary:
            config = load_model(EXAMPLE)
            bench = Bench(Path(temporary), f"http://localhost:{port}", config)
            bench.upload_rows(rows)
            print(f"{rows} rows, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
            for name, after in (
                ("prepare", bench.copy_training_input),
                ("train", bench.copy_evaluation_input),
                ("evaluate", None),
            ):
                print(bench.job(name).line(name), flush=True)
                if after:
                    after()
            print(measure([sys.executable, "-c", IMPORTS], bench.environment).line("imports"))
    finally:
        server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 56_000)
