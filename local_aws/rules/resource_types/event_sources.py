"""Event source mappings of Lambda functions, and the permissions of services to invoke functions."""

from functools import partial
from typing import Any

from ...eventbridge.patterns import PatternError, parse
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every, is_fifo, last, number, own

_SQS = "Lambda developer guide, Configuring scalability and batching for Amazon SQS event sources"
_VISIBILITY = "Lambda developer guide, Creating and configuring an Amazon SQS event source mapping"
_permission = partial(Rule, CLOUDFORMATION, "AWS::Lambda::Permission", source="Lambda API reference, AddPermission")
_mapping = partial(Rule, CLOUDFORMATION, "AWS::Lambda::EventSourceMapping", code="InvalidParameterValueException")


def _source(request: Request) -> str:
    return str(request.params.get("EventSourceArn", ""))


def _is_queue(request: Request) -> bool:
    return ":sqs:" in _source(request)


def _fifo_batch(request: Request) -> bool:
    return is_fifo(_source(request)) and number(request.params, "BatchSize", 10) > 10


def _fifo_window(request: Request) -> bool:
    return is_fifo(_source(request)) and number(request.params, "MaximumBatchingWindowInSeconds") > 0


def _no_window(request: Request) -> bool:
    given = request.params
    return number(given, "BatchSize", 10) > 10 and number(given, "MaximumBatchingWindowInSeconds") < 1


def _visibility(request: Request) -> Values | None:
    arn = _source(request)
    queue = request.find("queue", last(arn)) if _is_queue(request) and own(request, arn) else None
    function = request.find("function", str(request.params.get("FunctionName")))
    if queue is None or function is None or float(queue["VisibilityTimeout"]) >= float(function["Timeout"]):
        return None
    return {"visibility": queue["VisibilityTimeout"], "timeout": function["Timeout"]}


def _no_queue(request: Request) -> bool:
    return (
        _is_queue(request) and own(request, _source(request)) and request.find("queue", last(_source(request))) is None
    )


def _starting(request: Request) -> bool:
    return _is_queue(request) and "StartingPosition" in request.params


def _not_starting(request: Request) -> bool:
    stream = any(f":{each}:" in _source(request) for each in ("kinesis", "dynamodb", "kafka"))
    return stream and "StartingPosition" not in request.params


def _bisected(request: Request) -> bool:
    streams_only = (
        "BisectBatchOnFunctionError",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "ParallelizationFactor",
    )
    return _is_queue(request) and any(name in request.params for name in streams_only)


def _function_is_missing(request: Request) -> Values | None:
    name = str(request.params.get("FunctionName")).removesuffix(":$LATEST")
    return {"name": name} if request.find("function", last(name)) is None else None


def _filters(request: Request) -> list[Any]:
    return every((request.params.get("FilterCriteria") or {}).get("Filters"))


def _wrong_pattern(request: Request) -> bool:
    try:
        for each in _filters(request):
            parse(str(each.get("Pattern", "{}")))
    except PatternError:
        return True
    return False


def _filtered(*patterns: str) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": each} for each in patterns]}}


_FILTERS = "Lambda developer guide, Control which events Lambda sends to your function"
_ARN = "arn:aws:sqs:us-east-1:123456789012:"
_FIFO = {"FunctionName": "retrain", "EventSourceArn": f"{_ARN}retrain.fifo", "BatchSize": 10}
_STANDARD = {"FunctionName": "retrain", "EventSourceArn": f"{_ARN}retrain", "BatchSize": 10}
_STREAM = {"FunctionName": "retrain", "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}
_QUEUES = {
    "queue/retrain.fifo": {"VisibilityTimeout": 60},
    "queue/retrain": {"VisibilityTimeout": 30},
    "function/retrain": {"Timeout": 60},
}

_INVOKE = {
    "Action": "lambda:InvokeFunction",
    "FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:retrain",
    "Principal": "events.amazonaws.com",
}

ENTRIES: tuple[Entry, ...] = (
    _permission(
        says="The function that a permission is for exists.",
        message="Function not found: {name}",
        code="ResourceNotFoundException",
        check=_function_is_missing,
        accepted=_INVOKE,
        refused=_INVOKE | {"FunctionName": "gone"},
        given=_QUEUES,
    ),
    _mapping(
        says="A batch of a FIFO queue has up to 10 messages.",
        source=_SQS,
        message="Maximum batch size must be between 1 and 10 inclusive",
        check=_fifo_batch,
        accepted=_FIFO,
        refused=_FIFO | {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1},
        given=_QUEUES,
    ),
    _mapping(
        says="A FIFO queue has no batching window.",
        source=_SQS,
        message="Batching window is not supported for FIFO queues",
        check=_fifo_window,
        accepted=_FIFO,
        refused=_FIFO | {"MaximumBatchingWindowInSeconds": 1},
        given=_QUEUES,
    ),
    _mapping(
        says="An event source has up to five filters.",
        source=_FILTERS,
        message="Number of filters must not exceed 5.",
        inferred=True,
        check=lambda request: len(_filters(request)) > 5,
        accepted=_FIFO | _filtered('{"body": {"kind": ["drift"]}}'),
        refused=_FIFO | _filtered(*['{"body": {"kind": ["drift"]}}'] * 6),
        given=_QUEUES,
    ),
    _mapping(
        says="The pattern of a filter is a valid event pattern.",
        source=f"{_FILTERS}; words: errors of deployments in public repositories",
        message="Invalid filter pattern definition.",
        check=_wrong_pattern,
        accepted=_FIFO | _filtered('{"body": {"kind": [{"anything-but": "drift"}]}}'),
        refused=_FIFO | _filtered('{"body": {"kind": "drift"}}'),
        given=_QUEUES,
    ),
    _mapping(
        says="Batches of more than 10 messages need a batching window.",
        source=_SQS,
        message="Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        check=_no_window,
        accepted=_STREAM | {"StartingPosition": "LATEST", "BatchSize": 100, "MaximumBatchingWindowInSeconds": 1},
        refused=_STANDARD | {"BatchSize": 11},
        given=_QUEUES,
    ),
    _mapping(
        says="Messages stay invisible at least for the timeout of the function.",
        source=_VISIBILITY,
        message="Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds",
        check=_visibility,
        accepted=_FIFO,
        refused=_STANDARD,
        given=_QUEUES,
    ),
    _mapping(
        says="The queue of an event source mapping exists.",
        source="Lambda API reference, CreateEventSourceMapping",
        message="Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error "
        "Message: The specified queue does not exist.",
        check=_no_queue,
        accepted=_FIFO,
        refused=_FIFO | {"EventSourceArn": f"{_ARN}gone"},
        given=_QUEUES,
    ),
    _mapping(
        says="A queue has no starting position.",
        source="Lambda API reference, CreateEventSourceMapping",
        message="StartingPosition is not valid for SQS event sources.",
        check=_starting,
        accepted=_FIFO,
        refused=_FIFO | {"StartingPosition": "LATEST"},
        given=_QUEUES,
    ),
    _mapping(
        says="A stream has a starting position.",
        source="Lambda API reference, CreateEventSourceMapping",
        message="1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be "
        "null.",
        check=_not_starting,
        accepted=_STREAM | {"StartingPosition": "LATEST"},
        refused=_STREAM,
    ),
    _mapping(
        says="Settings of streams are not for queues.",
        source="Lambda API reference, CreateEventSourceMapping",
        message="Unsupported retry parameters for SQS event sources.",
        inferred=True,
        check=_bisected,
        accepted=_FIFO,
        refused=_FIFO | {"MaximumRetryAttempts": 2},
        given=_QUEUES,
    ),
)
