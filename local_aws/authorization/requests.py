"""HTTP request in, API call out: which operation of which service, with which parameters, signed with which key.

Routing and parsing are moto's own (by botocore's service models), so both sides of the server read a request alike.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs

from moto.core.loaders import create_loader
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([^/,]+)/([^/,]+)/")
# Where the prefix of a service's actions is not the name that its requests are signed with.
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}


CALL = "local_aws.call"


class UnknownCallError(NotImplementedError):
    """A request whose operation, action or resource is unknown, and which therefore cannot be authorized."""


@dataclass(frozen=True)
class Call:
    """One API call: `service` is boto3's name, `prefix` that of its actions in policies, `account` the caller's."""

    service: str
    prefix: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def leaves(self) -> tuple[tuple[str, str], ...]:
        """Every scalar of the parameters as (name of its member, text), depth first; keys of maps name nothing."""
        return tuple(_leaves(_input_shape(self.service, self.operation), "", self.params))

    def named(self, name: str) -> list[str]:
        """Values of the parameter `name`, case aside: those at the top, else those anywhere inside."""
        lowered = name.lower()
        top = [value for key, value in self.params.items() if key.lower() == lowered and value not in (None, "")]
        if top:
            return [str(each) for each in (top[0] if isinstance(top[0], list) else top) if not isinstance(each, dict)]
        return list(dict.fromkeys(value for leaf, value in self.leaves if leaf.lower() == lowered))


@cache
def _input_shape(service: str, operation: str) -> Any:  # a botocore shape, or None
    return get_service_model(service).operation_model(operation).input_shape


def _leaves(shape: Any, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        for key, each in value.items():
            yield from _leaves(shape.members.get(key), key, each)
    elif shape.type_name == "map":
        for each in value.values():
            yield from _leaves(shape.value, "", each)
    elif shape.type_name == "list":
        for each in value:
            yield from _leaves(shape.member, name, each)
    elif isinstance(value, bool):
        yield name, str(value).lower()
    elif isinstance(value, (str, int, float)):
        yield name, str(value)


@dataclass(frozen=True)
class Credential:
    """The credential scope of a signature: access key id, region, signing name of the service."""

    access_key_id: str
    region: str
    service: str


def credential(environ: Mapping[str, Any]) -> Credential | None:
    """Credential scope of a signed or presigned request, None for an unsigned one."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if "AWSAccessKeyId" in query:  # signature version 2, which boto3 still presigns S3 with; it names no region
        return Credential(query["AWSAccessKeyId"][0], "us-east-1", "s3")
    presigned = query.get("X-Amz-Credential")
    match = CREDENTIAL.search(f"Credential={presigned[0]}" if presigned else environ.get("HTTP_AUTHORIZATION", ""))
    return Credential(*match.groups()) if match else None


@cache
def service_name(moto_name: str) -> str:
    """boto3's name of the service that moto calls `moto_name` (`sagemakerruntime` -> `sagemaker-runtime`)."""
    names = {name.replace("-", ""): name for name in create_loader().list_available_services("service-2")}
    return names[moto_name.removeprefix("aws") if moto_name == "awslambda" else moto_name]


@cache
def prefix_of(service: str) -> str:
    """The prefix of `service`'s actions in policies (`sagemaker` for sagemaker-runtime, `states` for stepfunctions)."""
    metadata = get_service_model(service).metadata
    signing_name = str(metadata.get("signingName") or metadata["endpointPrefix"])
    return PREFIXES.get(signing_name, signing_name)


def read(environ: dict[str, Any], service: str, region: str, account: str) -> Call:
    """The call in a WSGI request, whose body is put back for the next reader. Raises UnknownCallError.

    It is parsed once: the environment keeps it.
    """
    if CALL not in environ:
        environ[CALL] = _read(environ, service, region, account)
    return environ[CALL]


def _read(environ: dict[str, Any], service: str, region: str, account: str) -> Call:
    model, uri, request = _route(environ, service)
    shape = _input_shape(service, str(model.name))
    payload = shape.serialization.get("payload") if shape else None
    streams = bool(payload) and shape.members[payload].type_name == "blob"
    body = b"" if streams else _body(environ)
    if service == "s3" and body:
        request = _request(environ, body)
    given = list(request.headers)
    protocol = determine_request_protocol(model.service_model, request.content_type)
    parsed = PROTOCOL_PARSERS[protocol](model).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": Headers(given),
            "body": body,
            "url_path": request.path,
            "url_params": uri,
        }
    )
    headers = {name.lower(): value for name, value in given}
    return Call(service, prefix_of(service), str(model.name), parsed, region, account, headers)


def _route(environ: dict[str, Any], service: str) -> tuple[OperationModel, dict[str, Any], Request]:
    # Path and query determine S3's operation, so the body, which may be large, is not read.
    body = b"" if service == "s3" else _body(environ)
    request = _request(environ, body)
    try:
        return *get_service_router(service).match(request), request
    except (NotFound, NotImplementedError) as error:
        raise UnknownCallError(
            f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO')}: no operation of {service} matches"
        ) from error


def _request(environ: dict[str, Any], body: bytes) -> Request:
    copy = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    copy.pop("wsgi.input_terminated", None)
    return Request(copy)


def _body(environ: dict[str, Any]) -> bytes:
    length = None if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return gzip.decompress(body) if environ.get("HTTP_CONTENT_ENCODING") == "gzip" and body else body
