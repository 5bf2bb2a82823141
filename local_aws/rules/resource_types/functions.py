"""Lambda functions."""

import json
from functools import partial
from typing import Any

from ..checks import more_than
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every, is_fifo, last, number, own, trusts

_QUOTAS = "Lambda developer guide, Lambda quotas"
_VARIABLES = "Lambda developer guide, Working with Lambda environment variables"
_function = partial(Rule, CLOUDFORMATION, "AWS::Lambda::Function", code="InvalidParameterValueException")
RESERVED = frozenset(
    (
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    )
)  # fmt: skip
"""Names of environment variables that Lambda sets itself."""


# Python 3.9's functions cannot be created since 2026 (Lambda developer guide, Lambda runtimes, Runtime deprecation).
ENDED = frozenset(
    ("python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "nodejs12.x", "nodejs14.x", "nodejs16.x")
)


def _variables(request: Request) -> dict[str, Any]:
    return request.params.get("Environment", {}).get("Variables", {})


def _large_environment(request: Request) -> Values | None:
    # Compact JSON is how Lambda measures them: its message shows the string.
    measured = json.dumps(_variables(request), separators=(",", ":"))
    return {"measured": measured} if len(measured.encode()) > 4096 else None


def _reserved(request: Request) -> Values | None:
    names = [name for name in _variables(request) if name in RESERVED]
    return {"names": ", ".join(names)} if names else None


def _package(request: Request) -> bool:
    given = request.params
    return given.get("PackageType", "Zip") == "Zip" and not (given.get("Runtime") and given.get("Handler"))


def _ended(request: Request) -> Values | None:
    runtime = request.params.get("Runtime")
    return {"runtime": runtime} if runtime in ENDED else None


def _role(request: Request) -> Any:
    arn = str(request.params.get("Role"))
    return own(request, arn), request.find("role", last(arn))


def _not_assumable(request: Request) -> bool:
    known, role = _role(request)
    return known and not trusts(role, "lambda.amazonaws.com")


def _other_account(request: Request) -> bool:
    parts = str(request.params.get("Role")).split(":")
    return len(parts) > 5 and parts[4] != request.account


def _unreserved(request: Request) -> bool:
    return number(request.params, "ReservedConcurrentExecutions") > 900


def _dead_letters(request: Request) -> str:
    return str(request.params.get("DeadLetterConfig", {}).get("TargetArn", ""))


def _fifo_dead_letters(request: Request) -> bool:
    return is_fifo(_dead_letters(request))


def _other_dead_letters(request: Request) -> bool:
    arn = _dead_letters(request)
    return bool(arn) and arn.split(":")[2] not in ("sqs", "sns")


def _architectures(request: Request) -> bool:
    return len(every(request.params.get("Architectures"))) > 1


_ROLE = "arn:aws:iam::123456789012:role/"
_TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
_GIVEN = {"role/retrain": {"AssumeRolePolicyDocument": _TRUST}, "role/jobs": {"AssumeRolePolicyDocument": {}}}
_ZIP = {"Role": f"{_ROLE}retrain", "Runtime": "python3.14", "Handler": "handler.main"}
_ARN = "arn:aws:sqs:us-east-1:123456789012:"
_LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:l:1"

ENTRIES: tuple[Entry, ...] = (
    _function(
        says="The environment variables of a function have up to 4 KB together.",
        source=_QUOTAS,
        message="Lambda was unable to configure your environment variables because the environment variables you have provided "
        "exceeded the 4KB limit. String measured: {measured}",
        check=_large_environment,
        accepted=_ZIP | {"Environment": {"Variables": {"A": "a" * 4000}}},
        refused=_ZIP | {"Environment": {"Variables": {"A": "a" * 4096}}},
        given=_GIVEN,
    ),
    _function(
        says="Environment variables that Lambda sets itself are reserved.",
        source=_VARIABLES,
        message="Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {names}",
        check=_reserved,
        accepted=_ZIP | {"Environment": {"Variables": {"REGION": "eu-west-1"}}},
        refused=_ZIP | {"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}},
        given=_GIVEN,
    ),
    _function(
        says="A function of a .zip file has a runtime and a handler.",
        source="Lambda API reference, CreateFunction",
        message="Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        check=_package,
        accepted=_ZIP,
        refused={"Role": f"{_ROLE}retrain", "Runtime": "python3.14"},
        given=_GIVEN,
    ),
    _function(
        says="A runtime that has reached its end is not for new functions.",
        source="Lambda developer guide, Lambda runtimes",
        message="The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We "
        "recommend you use a supported runtime while creating or updating functions.",
        check=_ended,
        accepted=_ZIP,
        refused=_ZIP | {"Runtime": "python3.8"},
        given=_GIVEN,
    ),
    _function(
        says="A function's role is of the function's account.",
        source="Lambda developer guide, Defining Lambda function permissions with an execution role",
        code="AccessDeniedException",
        message="Cross-account pass role is not allowed.",
        check=_other_account,
        accepted=_ZIP,
        refused=_ZIP | {"Role": "arn:aws:iam::210987654321:role/retrain"},
        given=_GIVEN,
        status=403,
    ),
    _function(
        says="A function's role trusts Lambda.",
        source="Lambda developer guide, Defining Lambda function permissions with an execution role",
        message="The role defined for the function cannot be assumed by Lambda.",
        check=_not_assumable,
        accepted=_ZIP,
        refused=_ZIP | {"Role": f"{_ROLE}jobs"},
        given=_GIVEN,
    ),
    _function(
        says="A function has up to five layers.",
        source=_QUOTAS,
        message="Layers consumption exceeds the limit of 5 layers per function.",
        inferred=True,
        check=more_than(5, "Layers"),
        accepted=_ZIP | {"Layers": [_LAYER] * 5},
        refused=_ZIP | {"Layers": [_LAYER] * 6},
        given=_GIVEN,
    ),
    _function(
        says="100 concurrent executions of the account (1,000 by default) stay unreserved.",
        source="Lambda developer guide, Configuring reserved concurrency for a function",
        message="Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100].",
        check=_unreserved,
        accepted=_ZIP | {"ReservedConcurrentExecutions": 1},
        refused=_ZIP | {"ReservedConcurrentExecutions": 901},
        given=_GIVEN,
    ),
    _function(
        says="A function's dead-letter queue is no FIFO queue.",
        source="Lambda developer guide, Capturing records of Lambda asynchronous invocations, dead-letter queues",
        message="The provided target is a FIFO queue. Lambda supports only standard queues and topics as dead-letter targets.",
        inferred=True,
        check=_fifo_dead_letters,
        accepted=_ZIP | {"DeadLetterConfig": {"TargetArn": f"{_ARN}dead"}},
        refused=_ZIP | {"DeadLetterConfig": {"TargetArn": f"{_ARN}dead.fifo"}},
        given=_GIVEN,
    ),
    _function(
        says="A function's dead letters go to a queue or a topic.",
        source="Lambda API reference, DeadLetterConfig",
        message="The provided target ARN is not supported: dead letters go to Amazon SQS or Amazon SNS.",
        inferred=True,
        check=_other_dead_letters,
        accepted=_ZIP | {"DeadLetterConfig": {"TargetArn": f"{_ARN}dead"}},
        refused=_ZIP | {"DeadLetterConfig": {"TargetArn": "arn:aws:events:us-east-1:123456789012:event-bus/default"}},
        given=_GIVEN,
    ),
    _function(
        says="A function has one architecture.",
        source="Lambda API reference, CreateFunction",
        message="1 validation error detected: Value at 'architectures' failed to satisfy constraint: Member must have length "
        "less than or equal to 1",
        check=_architectures,
        accepted=_ZIP | {"Architectures": ["arm64"]},
        refused=_ZIP | {"Architectures": ["arm64", "x86_64"]},
        given=_GIVEN,
    ),
)
