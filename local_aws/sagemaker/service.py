"""The API's front: a request in, checked against botocore's model, to the function that serves the operation."""

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import botocore.session
from moto.iam.models import get_account_id_from
from werkzeug.wrappers import Request, Response

from ..authorization import AccessDeniedError
from ..events import emit
from .roles import Roles
from .state import Record, ServiceError, State
from .validation import StrictValidator
from .warm import Starter

if TYPE_CHECKING:
    from ..server import LocalAws
    from .hosting import Hosting

log = logging.getLogger(__name__)
type Operation = Callable[["Service", State, Record], Record | None]


class Service:
    """SageMaker in all accounts and regions of one embedded AWS."""

    service = "sagemaker"
    hosting: "Hosting"

    def __init__(self, local: "LocalAws") -> None:
        self.local = local
        self.roles = Roles(local)
        self.starter = Starter(local.on_stop)
        self.stopping = threading.Event()
        self._states: dict[tuple[str, str], State] = {}
        self._operations: dict[str, Operation] = {}
        self._model = botocore.session.get_session().get_service_model("sagemaker")
        local.on_stop(self.stopping.set)

    def on_stop(self, close: Callable[[], None]) -> None:
        """Call `close` when the server stops, after everything here can see that it does."""

        def stop() -> None:
            self.stopping.set()
            close()

        self.local.on_stop(stop)

    def add(self, operations: Mapping[str, Operation]) -> None:
        """Serve these operations."""
        self._operations.update(operations)

    def state(self, account: str, region: str) -> State:
        """What is known in one account and region."""
        return self._states.setdefault((account, region), State(account, region))

    def call(self, state: State, operation: str, request: Record) -> Record:
        """Serve one call. Raises ServiceError."""
        serve = self._operations.get(operation)
        if serve is None:
            raise ServiceError(f"the embedded AWS does not support sagemaker:{operation}", "NotImplementedException")
        if mistakes := StrictValidator().check(request, self._model.operation_model(operation).input_shape):
            raise ServiceError(mistakes)
        return serve(self, state, request) or {}

    def emit(self, state: State, detail_type: str, detail: Record, arn: str) -> None:
        """Put a SageMaker event on the account's default bus."""
        emit(state.account, state.region, "aws.sagemaker", f"SageMaker {detail_type}", _plain(detail), [arn])

    def count(self, state: State, namespace: str, data: list[Record]) -> None:
        """Publish metrics of the service."""
        self.local.accounts.client("cloudwatch", state.account, state.region).put_metric_data(
            Namespace=namespace, MetricData=data
        )

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        state = self.state(*origin(request))
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.roles.called_by(access_key(request))
        try:
            answer, status = self.call(state, operation, json.loads(request.get_data() or b"{}")), 200
        except ServiceError as error:
            answer, status = {"__type": error.code, "message": error.message}, 400
        except AccessDeniedError as refusal:
            answer, status = {"__type": "AccessDeniedException", "message": str(refusal)}, 400
        except Exception as error:
            log.exception("sagemaker:%s", operation)
            answer, status = {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"}, 500
        body = json.dumps(answer, default=_timestamp)
        headers = {"x-amzn-RequestId": str(uuid.uuid4())}
        return Response(body, status, headers, content_type="application/x-amz-json-1.1")(environ, start_response)


def access_key(request: Request) -> str:
    """The access key id that signed a request."""
    return request.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]


def origin(request: Request) -> tuple[str, str]:
    """Account and region of a signed request."""
    credential = request.headers.get("Authorization", "").partition("Credential=")[2].split(",")[0]
    parts = credential.split("/")
    if len(parts) < 5:
        raise ServiceError("the request is not signed", "MissingAuthenticationTokenException")
    return get_account_id_from(parts[0]), parts[2]


def _timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} has no JSON form")


def _plain(value: Any) -> Any:
    """Events carry times as milliseconds."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
