"""Access-denied errors with AWS's messages, in the format of each protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import determine_request_protocol
from moto.core.utils import get_service_model

from local_aws.authorization.evaluation import Decision, Request

# Services of the query protocol that do not call it AccessDenied.
CODES = {"sns": "AuthorizationError", "ec2": "UnauthorizedOperation"}
UNDECIDABLE = "AuthorizationUnknown"
ENVELOPES = {
    "rest-xml": "<Error><Code>{code}</Code><Message>{text}</Message></Error>",
    "query": "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
    "</ErrorResponse>",
    "ec2": "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors></Response>",
}


class AccessDeniedError(Exception):
    """An action that no policy allows, or that one denies; the text names principal, action, resource and reason."""


def message(request: Request, decision: Decision) -> str:
    """AWS's sentence for a refusal; S3 puts the resource in quotes."""
    quote = '"' if request.action.startswith("s3:") else ""
    return (
        f"User: {request.principal.arn} is not authorized to perform: {request.action} "
        f"on resource: {quote}{request.resource}{quote} {decision.reason}"
    )


def refuse(service: str, content_type: str, text: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request to `service` with its access-denied error."""
    protocol = _protocol(service, content_type)
    in_xml = protocol in ENVELOPES
    code = CODES.get(service, "AccessDenied") if in_xml else "AccessDeniedException"
    # The JSON protocol answers 400 to a refusal, all others 403.
    return _answer(protocol, 400 if protocol == "json" else 403, code, text, start_response)


def give_up(service: str, content_type: str, text: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond to a request that cannot be evaluated: an error of this server, not of the caller."""
    return error_response(service, content_type, 500, UNDECIDABLE, text, start_response)


def error_response(
    service: str, content_type: str, status: int, code: str, text: str, start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Respond to a request with an error, in the format of the service's protocol."""
    return _answer(_protocol(service, content_type), status, code, text, start_response)


def _protocol(service: str, content_type: str) -> str:
    try:
        return determine_request_protocol(get_service_model(service), content_type)
    except NotImplementedError:
        return "json"


def _answer(protocol: str, status: int, code: str, text: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    envelope = ENVELOPES.get(protocol)
    if envelope:
        kind, body = "text/xml", envelope.format(code=code, text=escape(text))
    else:
        kind, body = "application/x-amz-json-1.1", json.dumps({"__type": code, "message": text})
    data = body.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(data))), ("x-amzn-ErrorType", code)]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [data]
