"""SageMaker: asynchronous endpoints, their requests, and changes of an endpoint from one kind to another."""

from typing import Any

from ..checks import either, found, together, without
from ..rule import Entry, NotEnforced, Request, Values, table
from .sagemaker_endpoints import CAPTURE, MODEL, SERVERLESS, SERVERLESS_VARIANT, config

INVOKE = "SageMaker Runtime API reference: InvokeEndpointAsync"
GUIDE = "SageMaker developer guide: Asynchronous inference"
rule = table("sagemaker", "ValidationException", INVOKE)
runtime = table("sagemaker-runtime", "ValidationError", INVOKE)

QUEUE = {"OutputConfig": {"S3OutputPath": "s3://b/output"}}
NAMES = {"EndpointName": "e", "EndpointConfigName": "same"}
GIVEN = {
    "endpoint/e": {"EndpointStatus": "InService", "EndpointConfigName": "c"},
    "endpoint/queue": {"EndpointStatus": "InService", "EndpointConfigName": "q", "AsyncInferenceConfig": QUEUE},
    "endpoint-config/c": {"ProductionVariants": [{"VariantName": "main"}]},
    "endpoint-config/same": {"ProductionVariants": [{"VariantName": "main"}]},
    "endpoint-config/q": {"ProductionVariants": [{"VariantName": "main"}], "AsyncInferenceConfig": QUEUE},
    "endpoint-config/serverless": {"ProductionVariants": [SERVERLESS_VARIANT]},
}
REQUEST = {"EndpointName": "queue", "InputLocation": "s3://b/input/1.csv"}


def _kind(configuration: Any) -> str:
    if "AsyncInferenceConfig" in (configuration or {}):
        return "asynchronous"
    return (
        "serverless"
        if any(True for _ in found(configuration, "ProductionVariants[].ServerlessConfig"))
        else "real-time"
    )


def _kinds(request: Request) -> tuple[str, str]:
    """The kind of the endpoint, and of the configuration that it is updated to."""
    endpoint = request.find("endpoint", request.params["EndpointName"]) or {}
    old = request.find("endpoint-config", endpoint.get("EndpointConfigName", ""))
    return _kind(old), _kind(request.find("endpoint-config", request.params["EndpointConfigName"]))


def _adds_or_removes_queue(request: Request) -> Values | None:
    old, new = _kinds(request)
    if (old == "asynchronous") == (new == "asynchronous"):
        return None
    verb = "removed from" if old == "asynchronous" else "added to"
    return {"verb": verb, "value": request.params["EndpointName"]}


def _of_kind(*, asynchronous: bool) -> Any:
    """The endpoint of the request exists and is asynchronous, or is not. Values: value."""

    def check(request: Request) -> Values | None:
        name = request.params["EndpointName"]
        endpoint = request.find("endpoint", name)
        wrong = endpoint is not None and ("AsyncInferenceConfig" in endpoint) == asynchronous
        return {"value": name} if wrong else None

    return check


ENTRIES: tuple[Entry, ...] = (
    rule(
        "UpdateEndpoint",
        "AsyncInferenceConfig is neither added to an endpoint nor removed from it.",
        "The AsyncInferenceConfig parameter cannot be {verb} this endpoint {value}.",
        _adds_or_removes_queue,
        NAMES,
        NAMES | {"EndpointConfigName": "q"},
        source="UpdateEndpoint's message for a removed one, quoted in aws/sagemaker-python-sdk, pull request 3124",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint",
        "A real-time endpoint is not converted to a serverless one.",
        "A real-time endpoint cannot be updated to a serverless endpoint",
        lambda request: _kinds(request) == ("real-time", "serverless"),
        NAMES,
        NAMES | {"EndpointConfigName": "serverless"},
        source=SERVERLESS,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "Asynchronous endpoints are on instances.",
        "AsyncInferenceConfig is not supported for serverless endpoints",
        together("AsyncInferenceConfig", "ProductionVariants[].ServerlessConfig"),
        config(AsyncInferenceConfig=QUEUE),
        config(SERVERLESS_VARIANT, AsyncInferenceConfig=QUEUE),
        source="SageMaker developer guide: Inference options",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "Asynchronous endpoints do not capture data.",
        "DataCaptureConfig is not supported for asynchronous endpoints",
        together("AsyncInferenceConfig", "DataCaptureConfig"),
        config(AsyncInferenceConfig=QUEUE),
        config(AsyncInferenceConfig=QUEUE, DataCaptureConfig=CAPTURE),
        source="SageMaker developer guide: Data capture, which has real-time endpoints and batch transform jobs only",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "An asynchronous endpoint has a place for its answers.",
        "AsyncInferenceConfig must have OutputConfig.S3OutputPath",
        without("AsyncInferenceConfig", "AsyncInferenceConfig.OutputConfig.S3OutputPath"),
        config(AsyncInferenceConfig=QUEUE),
        config(AsyncInferenceConfig={"OutputConfig": {}}),
        source="SageMaker developer guide: Create an asynchronous inference endpoint",
        given=MODEL,
        inferred=True,
    ),
    runtime(
        "InvokeEndpointAsync",
        "A request has either a body or the location of one.",
        "Provide exactly one of Body and InputLocation",
        either(
            together("Body", "InputLocation"),
            lambda request: not any(request.params.get(member) for member in ("Body", "InputLocation")),
        ),
        REQUEST,
        {"EndpointName": "queue"},
        given=GIVEN,
        inferred=True,
    ),
    runtime(
        "InvokeEndpointAsync",
        "The endpoint is an asynchronous one.",
        "Endpoint {value} does not support asynchronous invocations.",
        _of_kind(asynchronous=False),
        REQUEST,
        REQUEST | {"EndpointName": "e"},
        source="SageMaker API reference: CreateEndpointConfig, AsyncInferenceConfig",
        given=GIVEN,
        inferred=True,
    ),
    runtime(
        "InvokeEndpoint",
        "An asynchronous endpoint receives asynchronous invocations only.",
        "Endpoint {value} is an asynchronous endpoint, which InvokeEndpoint does not support. Use InvokeEndpointAsync.",
        _of_kind(asynchronous=True),
        {"EndpointName": "e"},
        {"EndpointName": "queue"},
        source=GUIDE,
        given=GIVEN,
        inferred=True,
    ),
    NotEnforced(
        "sagemaker-runtime",
        "InvokeEndpointAsync",
        "Requests of all endpoints of an account are throttled by quotas.",
        "SageMaker endpoints and quotas",
        "Quotas are the account's own; they can be raised.",
    ),
)
