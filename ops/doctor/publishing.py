"""Checks of what the publisher needs: the OpenLineage receiver, its key, and room for model cards and lineage entities."""

import ssl
from collections.abc import Callable, Iterator
from socket import create_connection
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from model_factory.config.factory import ExistingNetwork
from model_factory.functions.shared.lineage_entities import QUOTAS, most

from ..project import EnvironmentSession
from .account import Found
from .findings import error_code
from .needs import Needs

type Client = Callable[[str], Any]

TIMEOUT_SECONDS = 5
"""As the publisher waits for the receiver."""
AWS_KEY = "alias/aws/ssm"
_KEY = "its value cannot be decrypted by the publisher"


def publishing(session: EnvironmentSession, client: Client, needs: Needs) -> Iterator[Found]:
    """The receiver of factory.yaml takes connections, its key is a secret that the publisher can decrypt, and there is room."""
    receiver = session.project.factory.openlineage
    if receiver.url:
        yield _connection(session, receiver.url)
    if receiver.api_key_parameter:
        yield from _key(session, client, receiver.api_key_parameter)
    yield from _room(needs.resources["AWS::SageMaker::ModelPackageGroup"])


def _connection(session: EnvironmentSession, url: str) -> Found:
    """A TLS connection from this machine; the function has another way to the receiver, which the finding names."""
    network = session.environment.network
    subnets = ", ".join(network.subnets) if isinstance(network, ExistingNetwork) else ""
    place = f"the subnets {subnets}" if subnets else "the internet"
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or 443
    try:
        connect(host, port)
    except ssl.SSLCertVerificationError as error:
        mend = "give the receiver a certificate of a public authority"
        return (
            "problem",
            f"openlineage.url: {host}:{port} has a certificate that is refused: {error}",
            mend,
        )
    except OSError as error:
        mend = f"send a request to it from {place}: the publisher connects from there"
        return "warning", f"openlineage.url: no connection from this machine to {host}:{port}: {error}", mend
    if subnets:
        what = (
            f"openlineage.url: {host}:{port} takes connections from this machine; the publisher connects from {place}"
        )
        return "not checked", what, "see that their routes and security groups lead there"
    return "ok", f"openlineage.url: {host}:{port} takes connections; the publisher connects from {place}, too", ""


def connect(host: str, port: int) -> None:
    """Open and close a TLS connection. Raises OSError, SSLCertVerificationError included."""
    with (
        create_connection((host, port), TIMEOUT_SECONDS) as connection,
        ssl.create_default_context().wrap_socket(connection, server_hostname=host),
    ):
        pass


def _key(session: EnvironmentSession, client: Client, name: str) -> Iterator[Found]:
    """The newest version of the parameter, without its value."""
    try:
        pages = client("ssm").get_paginator("get_parameter_history").paginate(Name=name, WithDecryption=False)
        newest = [version for page in pages for version in page["Parameters"]][-1]
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        mend = f"aws ssm put-parameter --name {name} --type SecureString --value KEY"
        yield "problem", f"openlineage.api_key_parameter: there is no parameter {name}: no event is sent", mend
        return
    mend = f"aws ssm put-parameter --name {name} --type SecureString --overwrite --value KEY"
    if newest["Type"] != "SecureString":
        yield (
            "problem",
            f"openlineage.api_key_parameter: {name} is a {newest['Type']}, readable by whoever lists it",
            mend,
        )
    elif newest["KeyId"] != AWS_KEY and not _is_own(client, newest["KeyId"], session.names.key_alias):
        yield "problem", f"openlineage.api_key_parameter: {name} is encrypted with {newest['KeyId']}: {_KEY}", mend
    else:
        yield "ok", f"openlineage.api_key_parameter: {name} is a SecureString", ""


def _is_own(client: Client, key: str, alias: str) -> bool:
    """Whether a key is the environment's, by its ARN."""
    try:
        described = [client("kms").describe_key(KeyId=each)["KeyMetadata"]["Arn"] for each in (key, alias)]
    except client("kms").exceptions.NotFoundException:
        return False
    return described[0] == described[1]


def _room(models: int) -> Iterator[Found]:
    """Quotas that Service Quotas does not list."""
    if not models:
        return
    enough: list[str] = []
    for kind, need in most(models).items():
        if need > QUOTAS[kind]:
            what = f"SageMaker's lineage {kind} that are created by hand: {QUOTAS[kind]} (documented), at most {need} needed"
            yield "warning", what, "ask AWS Support; model-factory lineage reads the records and needs none of them"
        else:
            enough.append(f"{kind} {need} of {QUOTAS[kind]}")
    if enough:
        yield "ok", f"lineage entities that are created by hand: {', '.join(enough)} (documented)", ""
