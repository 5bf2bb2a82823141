"""`model-factory local up` when it cannot start: one sentence, and nothing of another instance changes."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from local_aws.bootstrap import CdkError
from local_aws.state_folder import StateFolder
from model_factory.ops.local import up as up_module
from model_factory.ops.local.up import STATE, all_accounts, delivery_steps, not_bootstrapped, own_images, up
from model_factory.ops.project import Project, UsageError

FACTORY = """\
name: acme
environments: [{name: dev, account: "111111111111", region: eu-west-1}]
delivery: {account: "999999999999", region: eu-central-1, source: codecommit, repository: models, branch: trunk}
"""


@pytest.fixture
def project(tmp_path):
    factory = SimpleNamespace(delivery=None)
    return SimpleNamespace(root=tmp_path, factory=factory, accounts={"acme-dev": ("111111111111", "eu-west-1")})


def test_second_instance_in_one_folder_is_refused(project):
    first = StateFolder(project.root / STATE)
    first.announce("http://localhost:4566")
    with pytest.raises(
        UsageError, match=r"uses the folder .*\.local_aws already \(process \d+, http://localhost:4566\)"
    ):
        up(project, 0, Console())
    first.release()


def test_profile_of_an_earlier_instance_is_forgotten(project, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "acme-gone")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nothing/aws-config")
    held = StateFolder(project.root / STATE)
    with pytest.raises(UsageError, match="uses the folder"):
        up(project, 0, Console())
    assert not [name for name in os.environ if name.startswith("AWS_")]
    held.release()


def test_port_in_use_is_one_sentence(project):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError) as refused:
            up(project, port, Console())
    assert str(refused.value) == f"cannot listen on port {port}: Address already in use; give another --port"
    StateFolder(project.root / STATE).release()


def test_failed_bootstrap_is_its_message_and_stops(project, monkeypatch):
    stopped = []
    local = SimpleNamespace(endpoint_url="", restored=None, start=lambda: None, stop=lambda: stopped.append(True))
    monkeypatch.setattr(up_module, "LocalAws", lambda *_, **__: local)
    monkeypatch.setattr(up_module, "history", lambda _: ())
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def fail(*_, **__):
        raise CdkError("cdk bootstrap aws://111111111111/eu-west-1 failed:\nno such file")

    monkeypatch.setattr(up_module, "bootstrap_places", fail)
    with pytest.raises(UsageError) as refused:
        up(project, 0, Console())
    assert str(refused.value) == "cdk bootstrap aws://111111111111/eu-west-1 failed:\nno such file"
    assert (refused.value.exit_code, refused.value.__cause__, stopped) == (1, None, [True])


def test_delivery_adds_tooling_account_and_says_how_to_push(tmp_path):
    (tmp_path / "factory.yaml").write_text(FACTORY)
    project = Project(tmp_path)
    assert all_accounts(project) == {
        "acme-dev": ("111111111111", "eu-west-1"),
        "acme-delivery": ("999999999999", "eu-central-1"),
    }
    steps = delivery_steps(project, project.factory.delivery, Path("/state/models.git"))
    assert "git remote add local /state/models.git" in steps
    assert "git push local HEAD:trunk" in steps
    assert "cdk deploy acme-delivery --require-approval never" in steps


@pytest.mark.parametrize(
    ("trusted", "left"), [("999999999999", set()), ("['999999999999']", set()), ("", {("111111111111", "eu-west-1")})]
)
def test_kept_account_is_bootstrapped_again_only_for_trust(trusted, left):
    parameters = [{"ParameterKey": "TrustedAccounts", "ParameterValue": trusted}]
    cloudformation = SimpleNamespace(
        describe_stacks=lambda StackName: {"Stacks": [{"Parameters": parameters}]},
        exceptions=SimpleNamespace(ClientError=LookupError),
    )
    accounts = SimpleNamespace(client=lambda *_: cloudformation)
    places = {"acme-dev": ("111111111111", "eu-west-1")}
    local = SimpleNamespace(restored=object(), accounts=accounts)
    assert not_bootstrapped(local, places, "999999999999") == left
    assert not_bootstrapped(SimpleNamespace(restored=None), places, None) == set(places.values())


def test_images_of_project_are_found_by_repository(tmp_path):
    for name in (
        "churn/requirements.txt",
        "churn/requirements.lock",
        "team/torch/requirements.txt",
        "empty/Dockerfile",
    ):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert own_images(tmp_path) == {
        "churn": tmp_path / "images" / "churn" / "requirements.lock",
        "team/torch": tmp_path / "images" / "team" / "torch" / "requirements.txt",
    }
    assert own_images(tmp_path / "models") == {}
