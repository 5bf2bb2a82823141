"""A test request to an endpoint: a typical record of the training data, and the score in the response."""

import json
import math
from typing import Any

from botocore.exceptions import ClientError
from environment import Environment
from shared.s3 import split_uri


class PredictionError(Exception):
    """The endpoint gave no valid score; the message has the reason."""


def predict(environment: Environment, model: dict[str, Any], version: dict[str, Any]) -> float:
    """The endpoint's score for a typical record of the version's training data. Raises PredictionError."""
    record = record_of(environment, version)
    try:
        response = environment.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=model["endpoint"],
            Body=json.dumps({"instances": [record]}),
            ContentType="application/json",
            Accept="application/json",
        )
    except ClientError as error:
        raise PredictionError(f"it refused a typical record: {error.response['Error'].get('Message')}") from None
    return parse_score(response["Body"].read())


def record_of(environment: Environment, version: dict[str, Any]) -> dict[str, Any]:
    """A typical record of the version's training data."""
    return typical_record(_statistics(environment, version))


def parse_score(body: bytes) -> float:
    """The first score in a response `{"predictions": [...]}`. Raises PredictionError when it is not a finite number."""
    try:
        scores: Any = json.loads(body)["predictions"]
        score = float(scores[0][0] if isinstance(scores[0], list) else scores[0])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise PredictionError(f"its answer is no score: {type(error).__name__}: {error}") from None
    if not math.isfinite(score):
        raise PredictionError(f"its score is {score}")
    return score


def typical_record(statistics: dict[str, Any]) -> dict[str, Any]:
    """The means of numbers and the most frequent strings in Model Monitor's statistics.json, by column."""
    record: dict[str, Any] = {}
    for feature in statistics["features"]:
        if numbers := feature.get("numerical_statistics"):
            mean = numbers["mean"]
            record[feature["name"]] = round(mean) if feature["inferred_type"] == "Integral" else mean
        elif strings := feature.get("string_statistics"):
            buckets = strings.get("distribution", {}).get("categorical", {}).get("buckets", [])
            if buckets:
                record[feature["name"]] = max(buckets, key=lambda bucket: bucket["count"])["value"]
    return record


def _statistics(environment: Environment, version: dict[str, Any]) -> dict[str, Any]:
    bucket, key = split_uri(version["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"])
    return json.loads(environment.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
