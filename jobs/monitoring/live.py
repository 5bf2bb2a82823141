"""The version that answers requests now, and the baselines that were registered with it."""

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from .. import payload, s3
from ..columns import Column
from ..drift.profile import Profile

ALWAYS = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Live:
    """A live version: its baselines are its own, so a retrained model is watched against its own data.

    `deployed`: when its model was made, from which on it may have answered. `evaluation`: what Evaluate measured at its gate.
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

    @property
    def classes(self) -> list[Any] | None:
        """The labels that it knows, in the order of its scores; None in regression and for a version without this record."""
        return self.evaluation.get("classes")

    @property
    def width(self) -> int:
        """Scores of a record."""
        return len(self.classes or [0]) if self.evaluation.get("problem") == "multiclass_classification" else 1

    @property
    def hours_since_training(self) -> float:
        """Age of the version in hours."""
        return (datetime.now(UTC) - self.trained).total_seconds() / 3600


def find(endpoint: str) -> Live | None:
    """The version behind the endpoint; None when there is no endpoint."""
    sagemaker = s3.client("sagemaker")
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("ValidationException", "ResourceNotFound"):
            return None
        raise
    config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    package = sagemaker.describe_model_package(ModelPackageName=model["PrimaryContainer"]["ModelPackageName"])
    return _live(package, model["CreationTime"])


def _live(package: dict[str, Any], deployed: datetime) -> Live:
    baselines = package["DriftCheckBaselines"]
    data = baselines["ModelDataQuality"]["Statistics"]["S3Uri"].rpartition("/")[0]
    quality = baselines["ModelQuality"]["Statistics"]["S3Uri"].rpartition("/")[0]
    return Live(
        package["ModelPackageVersion"],
        package["CreationTime"],
        Profile.from_dict(s3.read_json(f"{data}/profile.json")),
        Profile.from_dict(s3.read_json(f"{quality}/score_profile.json")),
        s3.read_json(f"{quality}/importance.json"),
        payload.columns_of(s3.read_json(f"{data}/columns.json")["columns"]),
        _sample(f"{data}/sample.parquet"),
        deployed,
        s3.read_json(f"{quality}/evaluation.json"),
    )


def _sample(uri: str) -> pa.Table | None:
    """A sample of the training's rows; None for a version that was registered without one."""
    if not any(True for _ in s3.below(uri)):
        return None
    bucket, key = s3.split(uri)
    return pq.read_table(io.BytesIO(s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()))
