"""A test request to an asynchronous endpoint: sent in one step of the smoke test, answered before one of the next.

Three objects below the model's folder for requests: the record, where its answer will be, and the answer or the failure.
"""

import json
from typing import Any

from botocore.exceptions import ClientError
from environment import Environment
from prediction import PredictionError, parse_score, record_of
from shared.s3 import has_object, split_uri


def predict(environment: Environment, model: dict[str, Any], version: dict[str, Any], name: str) -> float | None:
    """The endpoint's score for a typical record of the version's training data; None while there is no answer.

    `name`: of this test of the version; the first call with it sends the request. Raises PredictionError.
    """
    s3 = environment.client("s3")
    bucket, folder = split_uri(model["serving"]["async"]["input_uri"])
    sent = _read(s3, bucket, f"{folder}{name}-locations.json")
    if sent is None:
        _send(environment, model, version, (bucket, f"{folder}{name}"))
        return None
    locations = json.loads(sent)
    if answer := _read(s3, *split_uri(locations["OutputLocation"])):
        return parse_score(answer)
    if failure := _read(s3, *split_uri(locations["FailureLocation"])):
        raise PredictionError(f"it refused a typical record: {failure.decode(errors='replace')}")
    return None


def _send(environment: Environment, model: dict[str, Any], version: dict[str, Any], place: tuple[str, str]) -> None:
    """Invoke the endpoint, then note where its answer will be: a step that ends between sends another request."""
    s3, (bucket, key) = environment.client("s3"), place
    record = json.dumps({"instances": [record_of(environment, version)]}).encode()
    s3.put_object(Bucket=bucket, Key=f"{key}.json", Body=record)
    try:
        queued = environment.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=model["endpoint"],
            InputLocation=f"s3://{bucket}/{key}.json",
            ContentType="application/json",
            Accept="application/json",
        )
    except ClientError as error:
        raise PredictionError(f"it took no request: {error.response['Error'].get('Message')}") from None
    locations = {each: queued[each] for each in ("OutputLocation", "FailureLocation")}
    s3.put_object(Bucket=bucket, Key=f"{key}-locations.json", Body=json.dumps(locations).encode())


def _read(s3: Any, bucket: str, key: str) -> bytes | None:
    """The content of an object; None when it does not exist, which GetObject does not tell who may list a part of the bucket."""
    if not has_object(s3, bucket, key):
        return None
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
