"""A JSON API's front: a request in, checked against botocore's model, to the function that serves the operation."""

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator
from moto.sts.models import sts_backends
from werkzeug.wrappers import Request, Response

from ..sagemaker.service import origin
from ..sagemaker.state import Record, ServiceError

if TYPE_CHECKING:
    from ..server import LocalAws

log = logging.getLogger(__name__)
type Operation = Callable[[Any, Record], Record | None]


class JsonService:
    """One service in all accounts and regions; `make_state` makes what is known in one of them.

    An operation gets that state and the request. `CallerArn` in the request is who signed it.
    """

    def __init__(self, local: "LocalAws", service: str, make_state: Callable[[str, str], Any]) -> None:
        self.local, self.service = local, service
        self._make_state = make_state
        self._states: dict[tuple[str, str], Any] = {}
        self._operations: dict[str, Operation] = {}
        self._model = botocore.session.get_session().get_service_model(service)
        local.on_stop(self._stop)

    def add(self, operations: Mapping[str, Operation]) -> None:
        """Serve these operations."""
        self._operations.update(operations)

    def state(self, account: str, region: str) -> Any:
        """What is known in one account and region."""
        if (account, region) not in self._states:
            self._states[account, region] = self._make_state(account, region)
        return self._states[account, region]

    def states(self) -> list[Any]:
        """What is known anywhere."""
        return list(self._states.values())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            content: Record = json.loads(request.get_data() or b"{}")
            answer, status = self._call(request, operation, content), 200
        except ServiceError as error:
            answer, status = {"__type": error.code, "message": error.message}, 400
        except Exception as error:
            log.exception("%s:%s", self.service, operation)
            answer, status = {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"}, 500
        headers = {"x-amzn-RequestId": str(uuid.uuid4())}
        body = json.dumps(answer, default=_timestamp)
        return Response(body, status, headers, content_type="application/x-amz-json-1.1")(environ, start_response)

    def _call(self, request: Request, operation: str, content: Record) -> Record:
        serve = self._operations.get(operation)
        if serve is None:
            message = f"the embedded AWS does not support {self.service}:{operation}"
            raise ServiceError(message, "NotImplementedException")
        report = ParamValidator().validate(content, self._model.operation_model(operation).input_shape)
        if report.has_errors():
            raise ServiceError(report.generate_report())
        state = self.state(*origin(request))
        return serve(state, content | {"CallerArn": _caller(request, state.account)}) or {}

    def _stop(self) -> None:
        for state in self._states.values():
            state.stop()


def _caller(request: Request, account: str) -> str:
    """ARN of who signed the request."""
    access_key = request.headers.get("Authorization", "").partition("Credential=")[2].split("/")[0]
    for region in list(sts_backends[account].values()):
        if found := region.get_assumed_role_from_access_key(access_key):
            return str(found.arn)
    return f"arn:aws:iam::{account}:root"


def _timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} has no JSON form")
