"""SageMaker: asynchronous endpoints, their requests, and changes of an endpoint from one kind to another."""

from typing import Any

from ..checks import found, together, without
from ..rule import Entry, NotEnforced, Request, Values, table
from .sagemaker_endpoints import CAPTURE, MODEL, SERVERLESS, SERVERLESS_VARIANT, config

INVOKE = "SageMaker Runtime API reference: InvokeEndpointAsync"
GUIDE = "SageMaker developer guide: Asynchronous inference"
rule = table("sagemaker", "ValidationException", INVOKE)
runtime = table("sagemaker-runtime", "ValidationError", INVOKE)

QUEUE = {"OutputConfig": {"S3OutputPath": "s3://b/output"}}
NAMES = {"EndpointName": "e", "EndpointConfigName": "same"}
SERVED = {"EndpointStatus": "InService", "ProductionVariants": [{"VariantName": "main"}]}
GIVEN = {
    "endpoint/e": {**SERVED, "EndpointConfigName": "c"},
    "endpoint/queue": {**SERVED, "EndpointConfigName": "q", "AsyncInferenceConfig": QUEUE},
    "endpoint-config/c": {"ProductionVariants": [{"VariantName": "main"}]},
    "endpoint-config/same": {"ProductionVariants": [{"VariantName": "main"}]},
    "endpoint-config/q": {"ProductionVariants": [{"VariantName": "main"}], "AsyncInferenceConfig": QUEUE},
    "endpoint-config/serverless": {"ProductionVariants": [SERVERLESS_VARIANT]},
}
INLINE_BYTES = 128_000
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


def _body_bytes(request: Request) -> int:
    """Bytes of the body, which is not among the parameters of a request that was sent."""
    return request.size or len(request.params.get("Body", b""))


def _of_kind(*, asynchronous: bool) -> Any:
    """The endpoint of the request exists and is asynchronous, or is not. Values: value."""

    def check(request: Request) -> Values | None:
        name = request.params["EndpointName"]
        endpoint = request.find("endpoint", name)
        wrong = endpoint is not None and ("AsyncInferenceConfig" in endpoint) == asynchronous
        return {"value": name} if wrong else None

    return check


def _missing_variant(request: Request) -> Values | None:
    endpoint = request.find("endpoint", request.params["EndpointName"])
    known = set(found(endpoint, "ProductionVariants[].VariantName"))
    wanted = found(request.params, "DesiredWeightsAndCapacities[].VariantName")
    return next(({"value": name} for name in wanted if endpoint and name not in known), None)


def _no_instance(request: Request) -> Values | None:
    endpoint = request.find("endpoint", request.params["EndpointName"])
    if endpoint is None or "AsyncInferenceConfig" in endpoint:
        return None
    counts = found(request.params, "DesiredWeightsAndCapacities[].DesiredInstanceCount")
    return {"value": request.params["EndpointName"]} if any(count == 0 for count in counts) else None


def scaled(endpoint: str, count: int = 1, name: str = "main") -> dict[str, Any]:
    """Parameters of UpdateEndpointWeightsAndCapacities."""
    return {
        "EndpointName": endpoint,
        "DesiredWeightsAndCapacities": [{"VariantName": name, "DesiredInstanceCount": count}],
    }


ENTRIES: tuple[Entry, ...] = (
    rule(
        "UpdateEndpointWeightsAndCapacities",
        "The variants exist.",
        "The requested variant {value} does not exist",
        _missing_variant,
        scaled("e"),
        scaled("e", name="missing"),
        source="SageMaker API reference: UpdateEndpointWeightsAndCapacities",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpointWeightsAndCapacities",
        "Only an asynchronous endpoint has no instance.",
        "Endpoint {value} cannot be scaled to zero instances",
        _no_instance,
        scaled("queue", 0),
        scaled("e", 0),
        source="SageMaker developer guide: Autoscale an asynchronous endpoint",
        given=GIVEN,
        inferred=True,
    ),
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
        lambda request: bool(request.params.get("InputLocation")) == (_body_bytes(request) > 0),
        REQUEST,
        {"EndpointName": "queue"},
        given=GIVEN,
        inferred=True,
    ),
    runtime(
        "InvokeEndpointAsync",
        "A body in the request has at most 128,000 bytes.",
        "Body has {size} bytes, more than 128000",
        lambda request: {"size": size} if (size := _body_bytes(request)) > INLINE_BYTES else None,
        {"EndpointName": "queue", "Body": b"1"},
        {"EndpointName": "queue", "Body": b"1" * 128_001},
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
