"""`model-factory local up` when it cannot start: one sentence, and nothing of another instance changes."""

import socket
from types import SimpleNamespace

import pytest
from rich.console import Console

from local_aws.state_folder import StateFolder
from model_factory.ops.local.up import STATE, up
from model_factory.ops.project import UsageError


@pytest.fixture
def project(tmp_path):
    return SimpleNamespace(root=tmp_path, accounts={"acme-dev": ("111111111111", "eu-west-1")})


def test_second_instance_in_one_folder_is_refused(project):
    first = StateFolder(project.root / STATE)
    first.announce("http://localhost:4566")
    with pytest.raises(
        UsageError, match=r"uses the folder .*\.local_aws already \(process \d+, http://localhost:4566\)"
    ):
        up(project, 0, Console())
    first.release()


def test_port_in_use_is_one_sentence(project):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError) as refused:
            up(project, port, Console())
    assert str(refused.value) == f"cannot listen on port {port}: Address already in use; give another --port"
    StateFolder(project.root / STATE).release()
