"""Ask every endpoint for a prediction, once it serves the newest approved version; a new version that fails goes back."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import json
import math
import uuid
from typing import Any

from botocore.exceptions import ClientError
from environment import Environment, split
from outcome import Done, Failed, Job, Later, Outcome
from release import decide
from retrain import trained_here
from versions import label, newest

TIMEOUT_SECONDS = 3600
BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class NotYet(Exception):
    """The endpoint is on its way."""


class Bad(Exception):
    """The endpoint is there and does not do its work; the message says how."""


def smoke(job: Job, environment: Environment) -> Outcome:
    """One step: test every model that has an approved version."""
    told: list[str] = []
    waiting: list[str] = []
    failed: list[str] = []
    for model in environment.models():
        version = newest(environment, model, "Approved")
        if version is None:
            told.append(f"{model['model']}: no approved version yet")
            continue
        try:
            _live(environment, model, version)
            score = _ask(environment, model, version)
            told.append(f"{model['model']} {label(version)} answered {score:.4f}")
        except NotYet as reason:
            waiting.append(f"{model['model']} {label(version)}: {reason}")
        except Bad as reason:
            failed.append(
                f"model {model['model']} {label(version)}: {reason}{_take_back(job, environment, model, reason)}"
            )
    if waiting and job.waited_seconds > TIMEOUT_SECONDS:
        failed += [f"model {one} for {TIMEOUT_SECONDS} s" for one in waiting]
    if failed:
        return Failed(f"smoke test in {environment.name} failed: {'; '.join(failed)}")
    if waiting:
        return Later("; ".join(waiting), {"since": job.token["since"]})
    return Done("; ".join(told) or "no models")


def _live(environment: Environment, model: dict[str, Any], version: dict[str, Any]) -> None:
    """Raise NotYet or Bad unless the endpoint serves `version`."""
    sagemaker = environment.client("sagemaker")
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=model["endpoint"])
    except ClientError as error:
        if "Could not find" in str(error):
            raise NotYet("the endpoint is not there yet") from None
        raise
    status = endpoint["EndpointStatus"]
    if status in BUSY:
        raise NotYet(f"the endpoint is {status}")
    if status != "InService":
        raise Bad(f"the endpoint is {status}: {endpoint.get('FailureReason', 'no reason given')}")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    served = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = served.get("PrimaryContainer") or served["Containers"][0]
    if container.get("ModelPackageName") != version["ModelPackageArn"]:
        if reason := endpoint.get("FailureReason"):
            raise Bad(f"its deployment was rolled back: {reason}")
        raise NotYet("the endpoint still serves the version before")


def _ask(environment: Environment, model: dict[str, Any], version: dict[str, Any]) -> float:
    """The score of a typical record of the training data. Raises Bad."""
    record = typical_record(_baseline(environment, version))
    body = json.dumps({"instances": [record]})
    try:
        answer = environment.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=model["endpoint"], Body=body, ContentType="application/json", Accept="application/json"
        )
        scores: Any = json.loads(answer["Body"].read())["predictions"]
        score = float(scores[0][0] if isinstance(scores[0], list) else scores[0])
    except ClientError as error:
        raise Bad(f"it refused a typical record: {error.response['Error'].get('Message')}") from None
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Bad(f"its answer is no score: {type(error).__name__}: {error}") from None
    if not math.isfinite(score):
        raise Bad(f"its score is {score}")
    return score


def _baseline(environment: Environment, version: dict[str, Any]) -> dict[str, Any]:
    uri = version["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
    bucket, key = split(uri)
    return json.loads(environment.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def typical_record(statistics: dict[str, Any]) -> dict[str, Any]:
    """Means of numbers and the most frequent texts of Model Monitor's statistics.json, by column."""
    record: dict[str, Any] = {}
    for feature in statistics["features"]:
        if numbers := feature.get("numerical_statistics"):
            mean = numbers["mean"]
            record[feature["name"]] = round(mean) if feature["inferred_type"] == "Integral" else mean
        elif texts := feature.get("string_statistics"):
            buckets = texts.get("distribution", {}).get("categorical", {}).get("buckets", [])
            if buckets:
                record[feature["name"]] = max(buckets, key=lambda bucket: bucket["count"])["value"]
    return record


def _take_back(job: Job, environment: Environment, model: dict[str, Any], reason: Bad) -> str:
    """Reject what this delivery brought and send the endpoint back to the version before; in words."""
    version = trained_here(job, environment, model, "Approved")
    if version is None:
        return ""
    decide(job, environment, model, version, "Rejected", "smoke test of the delivery pipeline", str(reason))
    message = {"trigger": "manual", "reason": f"smoke test failed, delivery {job.execution}", "id": uuid.uuid4().hex}
    environment.send("deploy", model["model"], message)
    return f"; rejected, the endpoint goes back to {label(newest(environment, model, 'Approved'))}"
