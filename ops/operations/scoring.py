"""Scoring a file in an environment: copy it there, run the scoring pipeline, and read the predictions.

A file has one place for its content, and its predictions one place for each version: what a version has scored before is not
scored again.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.s3 import is_gone, split_uri
from model_factory.jobs.scoring.names import FORMATS, REQUESTS, request_predictions

from ..project import EnvironmentSession, UsageError
from .executions import follow
from .trigger import require_deployed
from .versions import list_versions

TIMEOUT_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Scored:
    """Predictions of a file: their S3 URI, and their lineage (docs/reference/contracts.md)."""

    uri: str
    lineage: dict[str, Any]


def score(
    session: EnvironmentSession, model: str, data: str, version: int | None, log: Callable[[str], None]
) -> Scored:
    """Score a local file or one object of S3 with a version, by default the newest approved one.

    `log` gets a line for each step. Raises UsageError with the reason when the file cannot be scored.
    """
    settings = require_deployed(session, model)
    if "scoring_pipeline" not in settings:
        raise UsageError(
            f"{model} cannot be scored: it has a pipeline of its own and no model.py, or was deployed by an earlier release; "
            "score in a Transform step of its pipeline, or deploy it again"
        )
    number = version or _newest_approved(session, model)
    folder = f"{model}/{REQUESTS}{_copy(session, model, data)}/"
    bucket = session.names.bucket("data")
    done = _predictions(session, model, folder, number)
    if done:
        log(f"version {number} has scored this file before")
        return done
    started = session.client("sagemaker").start_pipeline_execution(
        PipelineName=settings["scoring_pipeline"],
        PipelineExecutionDisplayName=f"request-{uuid.uuid4().hex}",
        PipelineParameters=[
            {"Name": "Data", "Value": f"s3://{bucket}/{folder}"},
            {"Name": "Version", "Value": str(number)},
        ],
    )
    result = follow(session, started["PipelineExecutionArn"], TIMEOUT_SECONDS, log)
    if result.status != "Succeeded":
        raise UsageError(f"{model} could not score {data}: {result.reason or result.status}")
    done = _predictions(session, model, folder, number)
    if done is None:
        raise UsageError(
            f"the run {result.execution_arn} succeeded, and wrote no predictions of s3://{bucket}/{folder}"
        )
    return done


def download(session: EnvironmentSession, scored: Scored, target: Path) -> None:
    """Write the predictions to a file. Raises UsageError."""
    bucket, key = split_uri(scored.uri)
    try:
        session.client("s3").download_file(bucket, key, str(target))
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}") from None


def _copy(session: EnvironmentSession, model: str, data: str) -> str:
    """Put the file where the pipeline reads it, in a folder of its content; the folder's name."""
    s3, bucket, name = session.client("s3"), session.names.bucket("data"), data.rpartition("/")[2]
    suffix = next((each for each in FORMATS if name.lower().endswith(each)), None)
    if suffix is None:
        raise UsageError(f"{data}: unsupported file type; it must end in {', '.join(FORMATS)}")
    try:
        if data.startswith("s3://"):
            source, key = split_uri(data)
            head = s3.head_object(Bucket=source, Key=key)
            version = {"VersionId": head["VersionId"]} if "VersionId" in head else {}
            digest = hashlib.sha256(f"{data}\0{head['ETag']}\0{head.get('VersionId')}".encode()).hexdigest()[:32]
            target = f"{model}/{REQUESTS}{digest}/rows{suffix}"
            if not _exists(s3, bucket, target):
                s3.copy({"Bucket": source, "Key": key, **version}, bucket, target)
            return digest
        with Path(data).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()[:32]
        target = f"{model}/{REQUESTS}{digest}/rows{suffix}"
        if not _exists(s3, bucket, target):
            s3.upload_file(data, bucket, target)
    except OSError as error:
        raise UsageError(f"{data}: {error.strerror}") from None
    except ClientError as error:
        if is_gone(error):
            raise UsageError(f"{data}: there is no such object, or the bucket {bucket} does not exist") from None
        raise
    return digest


def _exists(s3: Any, bucket: str, key: str) -> bool:
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"))


def _newest_approved(session: EnvironmentSession, model: str) -> int:
    approved = list_versions(session, model, ModelApprovalStatus="Approved")
    if not approved:
        raise UsageError(
            f"no version of {model} is approved in {session.environment.name}; name one with --version, or approve one: "
            f"model-factory approve {model} --env {session.environment.name}"
        )
    return approved[0]["ModelPackageVersion"]


def _predictions(session: EnvironmentSession, model: str, folder: str, version: int) -> Scored | None:
    """The predictions of a request's file by a version; None before it was scored."""
    s3, bucket = session.client("s3"), session.names.bucket("data")
    identity = folder.rstrip("/").rpartition("/")[2]
    prefix = f"{request_predictions(model, version)}/{identity}/_lineage/"
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    if not found:
        return None
    lineage = json.loads(s3.get_object(Bucket=bucket, Key=found[-1]["Key"])["Body"].read())
    return Scored(f"s3://{bucket}/{lineage['predictions']['key']}", lineage)
