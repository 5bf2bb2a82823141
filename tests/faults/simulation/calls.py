"""Clients of the simulated AWS: requests are validated as boto3 does, and calls fail as the current fault says."""

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError
from botocore.validate import ParamValidator

CALL_SECONDS = 0.05
CUSTOM_CODES = {"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue"}


class Killed(BaseException):
    """The function was killed: out of time, out of memory, or a restart of its machine."""


class NotSimulated(BaseException):
    """A function calls what the simulation has not got. Not an Exception: no function may handle it."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong in one invocation, at the call with the number `at`."""

    kind: str
    at: int = 0

    def __str__(self):
        return self.kind if self.kind in WHOLE_INVOCATION else f"{self.kind} (call {self.at + 1})"


KILLED_BEFORE, KILLED_AFTER = "killed before a call", "killed after a call"
THROTTLED, UNAVAILABLE = "throttled at every attempt of a call", "AWS answers a call with 500 at every attempt"
REPEATED, NO_ANSWER = "the answer of a call is lost, boto3 calls again", "a call is carried out, its answer never comes"
STALE, NOT_DELETED = "lists are some seconds old", "its success does not reach the queue"
WHOLE_INVOCATION = (STALE, NOT_DELETED)


class Simulated:
    """What `shared.clients.client` returns: one service of the current world."""

    def __init__(self, service, world):
        self._service, self._world, self.exceptions = service, world, _Exceptions()
        self.meta = SimpleNamespace(partition="aws")

    def __getattr__(self, operation):
        return lambda **request: self._world().calls.call(self._service, operation, request)

    def get_paginator(self, operation):
        return _Paginator(getattr(self, operation))


class _Paginator:
    def __init__(self, call):
        self._call = call

    def paginate(self, **request):
        while True:
            page = self._call(**request)
            yield page
            more = {request_name: page[name] for name, request_name in _TOKENS.items() if name in page}
            if not more:
                return
            request |= more


_TOKENS = {
    "NextToken": "NextToken",
    "NextContinuationToken": "ContinuationToken",
    "NextKeyMarker": "KeyMarker",
    "NextVersionIdMarker": "VersionIdMarker",
}
"""What the answer of a list says, and what the request for the next page gives."""


class _Exceptions:
    def __getattr__(self, name):
        return error_class(CUSTOM_CODES.get(name, name))


@cache
def error_class(code):
    """The class of an error code, as a client's `exceptions` has it."""
    return type(code.rpartition(".")[2], (ClientError,), {})


def refused(operation, code, message, status=400):
    """The exception that boto3 raises for an answer with an error."""
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return error_class(code)(answer, operation)


class Calls:
    """Calls of the functions in one world: counted, validated, and disturbed by the fault of the current invocation."""

    def __init__(self, world, services):
        self._world, self._services = world, services
        self.fault, self.number, self.total, self.faults = None, 0, 0, 0

    def invocation(self, fault):
        """Begin an invocation with a fault, or None."""
        self.fault, self.number = fault, 0
        self.faults += fault is not None

    def call(self, service, operation, request):
        self._world.clock.advance(CALL_SECONDS)
        if self._world.out_of_time:
            self._world.tell("  … is out of time")
            raise Killed
        name, request = self._validated(service, operation, request)
        fault = self.fault if self.fault and self.fault.at == self.number else None
        kind = fault.kind if fault else ""
        self.number, self.total = self.number + 1, self.total + 1
        if kind == KILLED_BEFORE:
            self._world.tell(f"  … is killed before {name}")
            raise Killed
        if kind in (THROTTLED, UNAVAILABLE):
            self._world.tell(f"  … gets no {name}: {kind}")
            code, status = ("ThrottlingException", 400) if kind == THROTTLED else ("InternalFailure", 500)
            raise refused(name, code, "Rate exceeded" if kind == THROTTLED else "try again", status)
        answer = self._carry_out(service, operation, name, request)
        if kind == KILLED_AFTER:
            self._world.tell(f"  … is killed after {name}")
            raise Killed
        if kind == NO_ANSWER:
            self._world.tell(f"  … gets no answer of {name}")
            raise ReadTimeoutError(endpoint_url=f"https://{service}.eu-west-1.amazonaws.com/")
        if kind == REPEATED:
            self._world.tell(f"  … loses the answer of {name}, and boto3 repeats it")
            return self._carry_out(service, operation, name, request)
        return answer

    def _validated(self, service, operation, request):
        """The operation's name, and the request with the token that boto3 adds. Raises ParamValidationError as boto3 does."""
        name, shape, token = _input(service, operation)
        if shape and (errors := _validator.validate(request, shape)).has_errors():
            report = errors.generate_report()
            self._world.defects.append(f"boto3 refuses the request {name}: {report}")
            raise ParamValidationError(report=report)
        if token and token not in request:
            request = request | {token: f"made-by-boto3-{self.total:032}"}
        return name, request

    def _carry_out(self, service, operation, name, request):
        handler = getattr(self._services[service], operation, None)
        if handler is None:
            raise NotSimulated(f"the simulation has no {service}:{name}; add it to tests/faults/simulation")
        return handler(**request)


_validator = ParamValidator()


@cache
def _service(service):
    session = botocore.session.get_session()
    model = session.get_service_model(service)
    return model, {xform_name(name): name for name in model.operation_names}


@cache
def _input(service, operation):
    """Name, shape and idempotency token of an operation."""
    model, names = _service(service)
    if operation not in names:
        raise AttributeError(f"{service} has no operation {operation}")
    shape = model.operation_model(names[operation]).input_shape
    members = shape.members if shape else {}
    token = next((name for name, member in members.items() if member.metadata.get("idempotencyToken")), None)
    return names[operation], shape, token
