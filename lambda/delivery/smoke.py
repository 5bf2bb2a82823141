"""Ask every endpoint for a prediction, once it serves the newest approved version; a new version that fails goes back."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import json
import math
from typing import Any

from belongings import brought_here, take_all_back, take_back
from botocore.exceptions import ClientError
from environment import Environment
from outcome import Done, Failed, Job, Later, Outcome
from promotion import split
from versions import endpoint_of, label, newest, served

TIMEOUT_SECONDS = 3600
BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class NotYet(Exception):
    """The endpoint is on its way."""


class Bad(Exception):
    """The endpoint is there and does not do its work; the message says how."""


def smoke(job: Job, environment: Environment) -> Outcome:
    """One step: test every model that has an approved version. A failure is told when every endpoint has settled."""
    told: list[str] = []
    waiting: list[str] = []
    failed: list[str] = []
    for model in environment.models():
        name, version = model["model"], newest(environment, model, "Approved")
        if rejected := brought_here(job, environment, model, "Rejected"):
            # By an earlier step, which did not wait for the endpoint to go back.
            now = f"it serves {label(version)} again" if version else "there is none before it to go back to"
            failed.append(f"model {name} {label(rejected)}: {rejected.get('ApprovalDescription')}; {now}")
        if version is None:
            told.append(f"{name}: no approved version yet")
            continue
        try:
            _live(environment, model, version)
            told.append(f"{name} {label(version)} answered {_ask(environment, model, version):.4f}")
        except NotYet as reason:
            waiting.append(f"{name} {label(version)}: {reason}")
        except Bad as reason:
            if back := take_back(job, environment, model, str(reason)):
                waiting.append(f"{name} {label(version)}: {reason}; {back}")
            else:
                failed.append(f"model {name} {label(version)}: {reason}")
    late = job.waited_seconds > TIMEOUT_SECONDS
    if waiting and not late:
        return Later("; ".join(waiting), {"since": job.token["since"]})
    if failed := failed + [f"model {one} for {TIMEOUT_SECONDS} s" for one in waiting]:
        message = f"smoke test in {environment.name} failed: {'; '.join(failed)}"
        return Failed(message + take_all_back(job, environment, message))
    return Done("; ".join(told) or "no models")


def _live(environment: Environment, model: dict[str, Any], version: dict[str, Any]) -> None:
    """Raise NotYet or Bad unless the endpoint serves `version`."""
    endpoint = endpoint_of(environment, model)
    if endpoint is None:
        raise NotYet("the endpoint is not there yet")
    status = endpoint["EndpointStatus"]
    if status in BUSY:
        raise NotYet(f"the endpoint is {status}")
    if status != "InService":
        raise Bad(f"the endpoint is {status}: {endpoint.get('FailureReason', 'no reason given')}")
    if served(environment, endpoint) != version["ModelPackageArn"]:
        if reason := endpoint.get("FailureReason"):
            raise Bad(f"its deployment was rolled back: {reason}")
        raise NotYet("the endpoint still serves another version")


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
