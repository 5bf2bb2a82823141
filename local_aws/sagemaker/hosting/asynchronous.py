"""A request of InvokeEndpointAsync: what it asks for, and how it is processed as the role of the endpoint's model.

Sources: SageMaker developer guide, 'Asynchronous inference' and its pages 'Invoke an asynchronous endpoint', 'Check prediction
results' and 'Alarms and logs' (metrics).
"""

import json
import logging
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from werkzeug.wrappers import Request

from ...json_api import Record
from ...s3 import encryption_arguments, split_uri
from ..service import Service
from ..state import State, find, subnets
from .fleet import CUSTOM_ATTRIBUTES, Answer
from .invocations import error_text
from .metrics import NAMESPACE
from .variants import Variant

log = logging.getLogger(__name__)
TTL_SECONDS, INVOCATION_SECONDS = 21_600, 900
"""Defaults of RequestTTLSeconds and InvocationTimeoutSeconds (API reference, InvokeEndpointAsync)."""
LARGEST_BYTES = 2**30
"""Developer guide, 'Asynchronous inference': payloads of up to 1 GB."""
NOTIFIED_BYTES = 128 * 1024
"""API reference, AsyncInferenceNotificationConfig: a larger response is not included in a notification."""


@dataclass(frozen=True)
class Queued:
    """One request in the queue."""

    inference_id: str
    body: bytes
    location: str
    content_type: str
    accept: str
    attributes: str
    output: str
    failure: str
    ttl: float
    timeout: float
    received: datetime

    @property
    def age(self) -> float:
        """Seconds since it was received."""
        return (datetime.now(UTC) - self.received).total_seconds()


class Invocation:
    """The processing of one request."""

    def __init__(self, service: Service, state: State, endpoint: Record, item: Queued) -> None:
        self._service, self._state, self._endpoint, self._item = service, state, endpoint, item
        self._variant: str = endpoint["ProductionVariants"][0]["VariantName"]
        self._output: Record = endpoint["AsyncInferenceConfig"]["OutputConfig"]
        self._values: dict[str, tuple[str, float]] = {}

    def process(self, variant: Variant) -> None:
        """Download the request, invoke the container, upload its answer or the failure, and notify."""
        self._variant = variant.name
        self._values["TimeInBacklog"] = ("Microseconds", self._item.age * 1e6)
        try:
            body = self._body()
        except (ClientError, ValueError) as error:
            self._values["RequestDownloadFailures"] = ("Count", 1.0)
            self._fail(f"Failed to download the request from {self._item.location}: {error}")
            return
        item = self._item
        answer = variant.fleet.invoke(body, item.content_type, item.accept, item.attributes, item.timeout)
        self._values |= {
            "ModelLatency": ("Microseconds", answer.seconds * 1e6),
            "Invocation4XXErrors": ("None", float(400 <= answer.status < 500)),
            "Invocation5XXErrors": ("None", float(answer.status >= 500)),
        }
        if not 0 < answer.status < 400:
            text = answer.body.decode(errors="replace")
            name = self._endpoint["EndpointName"]
            self._fail(error_text(self._state, name, self._variant, answer.status, text))
            return
        try:
            self._upload(item.output, answer.body, answer.content_type)
        except ClientError as error:
            self._values["ResponseUploadFailures"] = ("Count", 1.0)
            self._fail(f"Failed to upload the response to {item.output}: {error}")
            return
        self._end("Completed", answer, {})

    def expire(self) -> None:
        """End a request that was not processed in time."""
        self._values["ExpiredRequests"] = ("Count", 1.0)
        self._fail(f"The request expired: it was in the queue for longer than {self._item.ttl:g} seconds.")

    def _body(self) -> bytes:
        if not self._item.location:
            return self._item.body
        started = time.perf_counter()
        bucket, key = split_uri(self._item.location)
        found = self._client("s3").get_object(Bucket=bucket, Key=key)
        if found["ContentLength"] > LARGEST_BYTES:
            raise ValueError(f"it has {found['ContentLength']} bytes, and {LARGEST_BYTES} are allowed")
        body = found["Body"].read()
        self._values["RequestDownloadLatency"] = ("Microseconds", (time.perf_counter() - started) * 1e6)
        return body

    def _upload(self, uri: str, body: bytes, content_type: str) -> None:
        started = time.perf_counter()
        bucket, key = split_uri(uri)
        encryption = encryption_arguments(self._output.get("KmsKeyId"))
        self._client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, **encryption)
        self._values["ResponseUploadLatency"] = ("Microseconds", (time.perf_counter() - started) * 1e6)

    def _fail(self, reason: str) -> None:
        self._values["InvocationFailures"] = ("Count", 1.0)
        if self._item.failure:
            try:
                self._upload(self._item.failure, reason.encode(), "text/plain")
            except ClientError as error:
                log.warning("%s: %s", self._item.failure, error)
        self._end("Failed", Answer(0, reason.encode(), "text/plain", 0.0), {"failureReason": f"ClientError: {reason}"})

    def _end(self, status: str, answer: Answer, more: Record) -> None:
        self._notify(status, answer, more)
        self._values["InvocationsProcessed"] = ("Count", 1.0)
        self._values["TotalProcessingTime"] = ("Milliseconds", self._item.age * 1e3)
        names = {"EndpointName": self._endpoint["EndpointName"], "VariantName": self._variant}
        count(self._service, self._state, names, self._values)

    def _notify(self, status: str, answer: Answer, more: Record) -> None:
        config = self._output.get("NotificationConfig", {})
        kind = "SUCCESS" if status == "Completed" else "ERROR"
        topic = config.get(f"{kind.capitalize()}Topic")
        if not topic:
            return
        message = self._message(status, answer, more)
        included = f"{kind}_NOTIFICATION_TOPIC" in config.get("IncludeInferenceResponseIn", [])
        if included and len(answer.body) <= NOTIFIED_BYTES:
            message["responseBody"] = {"content": answer.body.decode(errors="replace")}
        try:
            self._client("sns").publish(TopicArn=topic, Message=json.dumps(message))
        except ClientError as error:
            self._values["NotificationFailures"] = ("Count", 1.0)
            log.warning("%s: %s", topic, error)

    def _message(self, status: str, answer: Answer, more: Record) -> Record:
        """The message, as users show it: AWS's guide has no example."""
        item, stamp = self._item, "%Y-%m-%dT%H:%M:%S.%fZ"
        given = {"contentType": item.content_type, "accept": item.accept, "inputLocation": item.location}
        response = {"contentType": answer.content_type, "outputLocation": item.output}
        if status == "Failed":
            response = {"failureLocation": item.failure} if item.failure else {}
        return {
            "awsRegion": self._state.region,
            "eventTime": datetime.now(UTC).strftime(stamp),
            "receivedTime": item.received.strftime(stamp),
            "invocationStatus": status,
            **more,
            "requestParameters": {"endpointName": self._endpoint["EndpointName"]}
            | {name: value for name, value in given.items() if value},
            **({"responseParameters": response} if response else {}),
            "inferenceId": item.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }

    def _client(self, service: str) -> Any:
        config = find(self._state.endpoint_configs, self._endpoint["EndpointConfigName"], "endpoint configuration")
        model = find(self._state.models, config["ProductionVariants"][0]["ModelName"], "model")
        role, accounts = model["ExecutionRoleArn"], self._service.local.accounts
        return accounts.role_client(service, role, self._state.region, subnets(model))


def queued(request: Request, output: Record) -> Queued:
    """The request as the queue has it, with the objects that its answer will be."""

    def header(name: str) -> str:
        return request.headers.get(f"X-Amzn-SageMaker-{name}", "")

    generated = str(uuid.uuid4())
    folder = "/".join(filter(None, (output["S3OutputPath"].rstrip("/"), header("S3OutputPathExtension").strip("/"))))
    failures = output.get("S3FailurePath", "").rstrip("/")
    return Queued(
        inference_id=header("Inference-Id") or str(uuid.uuid4()),
        body=request.get_data(),
        location=header("InputLocation"),
        content_type=header("Content-Type"),
        accept=header("Accept"),
        attributes=request.headers.get(CUSTOM_ATTRIBUTES, ""),
        output=f"{folder}/{header('Filename') or f'{generated}.out'}",
        failure=f"{failures}/{generated}-error.out" if failures else "",
        ttl=float(header("RequestTTLSeconds") or TTL_SECONDS),
        timeout=float(header("InvocationTimeoutSeconds") or INVOCATION_SECONDS),
        received=datetime.now(UTC),
    )


def count(service: Service, state: State, dimensions: dict[str, str], values: dict[str, tuple[str, float]]) -> None:
    """Publish metrics: (unit, value) by name."""
    names = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data: Iterable[Record] = (
        {"MetricName": name, "Dimensions": names, "Value": value, "Unit": unit}
        for name, (unit, value) in values.items()
    )
    service.count(state, NAMESPACE, list(data))
