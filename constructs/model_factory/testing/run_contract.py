"""Runs a model's Prepare and Train, then its endpoint's functions, in a process of its own: `<zip> <sample> <ml folder>`.

The package `jobs` comes from the zip, as in a SageMaker job. S3 is moto's, in this process.
"""

import json
import os
import shutil
import sys
from pathlib import Path

BUCKET, REGION = "contract", "eu-west-1"


def main(code: Path, sample: Path, ml: Path) -> None:
    """Run all steps. Raises JobFailure of the zip's jobs with the reason."""
    os.environ |= {
        "FACTORY_ML_ROOT": str(ml),
        "DATA_URI": f"s3://{BUCKET}/model",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    os.environ.pop("AWS_ENDPOINT_URL", None)
    from moto import mock_aws

    with mock_aws():
        _upload(sample)
        _prepare()
    _train(ml)
    _serve(ml, sample)


def _upload(sample: Path) -> None:
    import boto3

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.upload_file(str(sample), BUCKET, f"model/raw/dt=2026-01-01/{sample.name}")


def _prepare() -> None:
    from jobs.preparation import prepare

    prepare.run()


def _train(ml: Path) -> None:
    """Train on what Prepare wrote, moved to where SageMaker puts the channels of a training job."""
    from jobs import train

    channels = {"train": "train", "validation": "validation", "schema": "baseline"}
    for channel, output in channels.items():
        shutil.copytree(ml / "processing" / "output" / output, ml / "input" / "data" / channel)
    train.run()


def _serve(ml: Path, sample: Path) -> None:
    """Load the artifact and ask for predictions of five rows, as JSON and as CSV."""
    import pandas as pd

    from jobs.failures import JobFailure
    from jobs.serve import model_fn, transform_fn

    served = model_fn(str(ml / "model"))
    rows = (pd.read_parquet(sample) if sample.suffix == ".parquet" else pd.read_csv(sample)).head(5)
    inputs = rows[[column.name for column in served.columns]]
    bodies = {
        "application/json": json.dumps({"instances": json.loads(inputs.to_json(orient="records", date_format="iso"))}),
        "text/csv": inputs.to_csv(index=False, header=False),
    }
    for content_type, body in bodies.items():
        response = transform_fn(served, body, content_type, content_type)
        if response.status_code != 200:
            raise JobFailure(f"a request in {content_type} is answered with {response.get_data(as_text=True)}")


if __name__ == "__main__":
    zip_file, sample_file, ml_folder = map(Path, sys.argv[1:])
    sys.path.insert(0, str(zip_file))
    try:
        main(zip_file, sample_file, ml_folder)
    except Exception as error:
        if type(error).__name__ != "JobFailure":  # the class is the zip's
            raise
        sys.exit(f"{error}\n{getattr(error, 'trace', '')}")
