"""Services of the AWS JSON protocol: requests in, checked against botocore's model, to the function of the operation."""

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.validate import ParamValidator
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from
from werkzeug.wrappers import Request, Response

from .authorization import AccessDeniedError

log = logging.getLogger(__name__)

type Record = dict[str, Any]
type Operation = Callable[..., Record | None]


class ServiceError(Exception):
    """An error response in the service's words: a code and a message."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code, self.message = code, message


class JsonApi:
    """The WSGI application of one service. Subclasses check the request and call the operation in `respond`."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._operations: dict[str, Operation] = {}

    @property
    def model(self) -> Any:
        """botocore's model of the service, loaded at the first request."""
        return get_service_model(self.service)

    def add(self, operations: Mapping[str, Operation]) -> None:
        """Serve these operations."""
        self._operations.update(operations)

    def operation(self, name: str) -> Operation:
        """The function of an operation. Raises ServiceError when it is not supported."""
        if name not in self._operations:
            message = f"the embedded AWS does not support {self.service}:{name}"
            raise ServiceError(message, "NotImplementedException")
        return self._operations[name]

    def check_types(self, operation: str, content: Record) -> None:
        """Check types and names of parameters; `rules` checks their values. Raises ServiceError."""
        report = ParamValidator().validate(content, self.model.operation_model(operation).input_shape)
        if report.has_errors():
            raise ServiceError(report.generate_report())

    def respond(self, request: Request, operation: str, content: Record) -> Record:
        """The response of one call. Raises ServiceError, AccessDeniedError."""
        raise NotImplementedError

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        request = Request(environ)
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            answer, status = self.respond(request, operation, json.loads(request.get_data() or b"{}")), 200
        except ServiceError as error:
            answer, status = {"__type": error.code, "message": error.message}, 400
        except AccessDeniedError as refusal:
            answer, status = {"__type": "AccessDeniedException", "message": str(refusal)}, 400
        except Exception as error:
            log.exception("%s:%s", self.service, operation)
            answer, status = {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"}, 500
        headers = {"x-amzn-RequestId": str(uuid.uuid4())}
        body = json.dumps(answer, default=_timestamp)
        return Response(body, status, headers, content_type="application/x-amz-json-1.1")(environ, start_response)


def access_key(request: Request) -> str:
    """The access key id that signed a request; empty for an unsigned request."""
    return request.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]


def origin(request: Request) -> tuple[str, str]:
    """Account and region of a signed request. Raises ServiceError."""
    credential = request.headers.get("Authorization", "").partition("Credential=")[2].split(",")[0]
    parts = credential.split("/")
    if len(parts) < 5:
        raise ServiceError("the request is not signed", "MissingAuthenticationTokenException")
    return get_account_id_from(parts[0]), parts[2]


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def _timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} has no JSON form")
