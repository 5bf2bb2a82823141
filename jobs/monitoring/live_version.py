"""The live version: the one that the endpoint serves, or without one the newest approved, with its registered baselines."""

import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from .. import payload, s3
from ..columns import Column
from ..drift.profile import Profile
from ..failures import JobFailure

ALWAYS = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Challenger:
    """The version on trial against the live one. `mode`: `shadow` or `split`; `classes` as of `LiveVersion`."""

    version: int
    mode: str
    classes: list[Any] | None


@dataclass(frozen=True)
class LiveVersion:
    """The version behind an endpoint. Its baselines are of its own training data and its own scores on the test rows.

    `importance`: share of each column in the model's predictions. `sample`: training rows, None for versions without one.
    `deployed`: when its model was created; requests before were served by another version. `settled`: when the endpoint was
    modified last; `changing_since` is that time while the endpoint is being changed. `evaluation`: its evaluation.json.
    """

    version: int
    trained: datetime
    baseline: Profile
    score_baseline: Profile
    importance: dict[str, float]
    columns: list[Column]
    sample: pa.Table | None = None
    deployed: datetime = ALWAYS
    evaluation: dict[str, Any] = field(default_factory=dict)
    arn: str = ""
    settled: datetime | None = None
    changing_since: datetime | None = None
    challenger: Challenger | None = None

    @property
    def classes(self) -> list[Any] | None:
        """The labels in the order of the scores; None in regression, and for versions that were registered without them."""
        return self.evaluation.get("classes")

    @property
    def width(self) -> int:
        """Number of scores per record."""
        return len(self.classes or [0]) if self.evaluation.get("problem") == "multiclass_classification" else 1

    @property
    def hours_since_training(self) -> float:
        """Hours since the version was registered."""
        return (datetime.now(UTC) - self.trained).total_seconds() / 3600


def find(endpoint: str) -> LiveVersion | None:
    """The live version of an endpoint; None when there is no endpoint. Raises JobFailure for one that has failed."""
    sagemaker = s3.client("sagemaker")
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("ValidationException", "ResourceNotFound"):
            return None
        raise
    if described["EndpointStatus"] == "Failed":
        raise JobFailure(f"the endpoint {endpoint} has failed: {described.get('FailureReason') or 'without a reason'}")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    model, package = _package_of(config["ProductionVariants"][0])
    modified = described["LastModifiedTime"]
    in_service = described["EndpointStatus"] == "InService"
    return replace(
        _load(package, model["CreationTime"]),
        settled=modified,
        changing_since=None if in_service else modified,
        challenger=_challenger(config),
    )


def _package_of(variant: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The described model of a variant, and its model package."""
    sagemaker = s3.client("sagemaker")
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    return model, sagemaker.describe_model_package(ModelPackageName=model["PrimaryContainer"]["ModelPackageName"])


def _challenger(config: dict[str, Any]) -> Challenger | None:
    """The version of the second variant of a described configuration; None without one."""
    shadows: list[dict[str, Any]] = config.get("ShadowProductionVariants", [])
    others = [*config["ProductionVariants"][1:], *shadows]
    if not others:
        return None
    _, package = _package_of(others[0])
    quality = _quality_folder(package)
    classes = s3.read_json(f"{quality}/evaluation.json").get("classes")
    return Challenger(package["ModelPackageVersion"], "shadow" if shadows else "split", classes)


def approved(model_package_group: str) -> LiveVersion | None:
    """The live version of a model that is scored in batches: the newest approved one; None when none is."""
    found = _approved(model_package_group)
    newest = max(found, key=lambda package: package["ModelPackageVersion"], default=None)
    if newest is None:
        return None
    package = s3.client("sagemaker").describe_model_package(ModelPackageName=newest["ModelPackageArn"])
    return _load(package, package.get("LastModifiedTime") or package["CreationTime"])


def score_baseline(arn: str, version: int) -> Profile | None:
    """The scores on the test rows of another version of the group of `arn`; None when it was deleted, or has none."""
    sagemaker = s3.client("sagemaker")
    try:
        package = sagemaker.describe_model_package(ModelPackageName=f"{arn.rpartition('/')[0]}/{version}")
        quality = _quality_folder(package)
        return Profile.from_dict(s3.read_json(f"{quality}/score_profile.json"))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("ValidationException", "ResourceNotFound", "NoSuchKey"):
            return None
        raise
    except KeyError:
        return None


def newest_approved(model_package_group: str) -> int | None:
    """The newest approved version, which should be live; None when none is approved."""
    return max((package["ModelPackageVersion"] for package in _approved(model_package_group)), default=None)


def _approved(model_package_group: str) -> list[dict[str, Any]]:
    """Summaries of the newest approved versions."""
    return s3.client("sagemaker").list_model_packages(
        ModelPackageGroupName=model_package_group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=10,
    )["ModelPackageSummaryList"]


def _load(package: dict[str, Any], deployed: datetime) -> LiveVersion:
    data = package["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"].rpartition("/")[0]
    quality = _quality_folder(package)
    return LiveVersion(
        package["ModelPackageVersion"],
        package["CreationTime"],
        Profile.from_dict(s3.read_json(f"{data}/profile.json")),
        Profile.from_dict(s3.read_json(f"{quality}/score_profile.json")),
        s3.read_json(f"{quality}/importance.json"),
        payload.columns_of(s3.read_json(f"{data}/columns.json")["columns"]),
        _sample(f"{data}/sample.parquet"),
        deployed,
        s3.read_json(f"{quality}/evaluation.json"),
        package["ModelPackageArn"],
    )


def _quality_folder(package: dict[str, Any]) -> str:
    """URI of the evaluation's results of a described model package. Raises KeyError for one without baselines."""
    return package["DriftCheckBaselines"]["ModelQuality"]["Statistics"]["S3Uri"].rpartition("/")[0]


def _sample(uri: str) -> pa.Table | None:
    """A sample of the training rows; None for versions that were registered without one."""
    if not any(True for _ in s3.below(uri)):
        return None
    bucket, key = s3.split(uri)
    return pq.read_table(io.BytesIO(s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()))
