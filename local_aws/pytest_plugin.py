"""The pytest plugin: fixtures with an embedded AWS that is started at their first use.

The server runs until the end of the test session. The environment variables that direct AWS tools to it are set only
while a test runs that uses one of the fixtures. Nothing of the embedded AWS is imported before.
"""

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import boto3

    from .server import LocalAws

_server = pytest.StashKey["LocalAws | None"]()
_before = pytest.StashKey[dict[str, str] | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting `local_aws_images`."""
    parser.addini(
        "local_aws_images",
        "lines REPOSITORY=PATH: libraries of containers of an image, a file of requirements or a virtual environment",
        "linelist",
    )


@pytest.fixture(scope="session")
def local_aws(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator["LocalAws", None, None]:
    """An embedded AWS; AWS_ENDPOINT_URL, credentials and the region us-east-1 are in the environment."""
    import shutil

    from .server import LocalAws

    state, config = tmp_path_factory.mktemp("local-aws"), request.config
    named = [line.partition("=") for line in config.getini("local_aws_images")]
    try:
        with LocalAws(state, images={name: config.rootpath / path for name, _, path in named}) as server:
            config.stash[_server] = server
            _set_environment(config, server)
            yield server
    finally:
        config.stash[_server] = None
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def local_aws_session(local_aws: "LocalAws") -> "boto3.Session":
    """A boto3 session of the embedded AWS's default account in us-east-1."""
    return local_aws.session()


@pytest.fixture(scope="session")
def local_aws_role(local_aws_session: "boto3.Session") -> str:
    """ARN of a role that SageMaker, Lambda and others may assume and that may do everything."""
    from .roles import create_role

    return create_role(local_aws_session, "local-aws")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Set the environment for a test that uses the embedded AWS, and restore it afterwards."""
    server = item.config.stash.get(_server, None)
    if server is not None and "local_aws" in getattr(item, "fixturenames", ()):
        _set_environment(item.config, server)
    try:
        return (yield)
    finally:
        _restore_environment(item.config)


def _set_environment(config: pytest.Config, server: "LocalAws") -> None:
    """Replace all of AWS's variables: a profile or an endpoint of the developer's own must not be used by tests."""
    config.stash[_before] = _take_aws_variables()
    os.environ.update(server.environment())


def _restore_environment(config: pytest.Config) -> None:
    before = config.stash.get(_before, None)
    if before is not None:
        _take_aws_variables()
        os.environ.update(before)
        config.stash[_before] = None


def _take_aws_variables() -> dict[str, str]:
    return {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
