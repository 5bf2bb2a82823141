"""`model-factory diff dev prod`: how what is live in two environments relates, by content."""

import io
import json

import pytest
from rich.console import Console

from ops.diff.changes import Change, Section
from ops.diff.environments import EnvironmentComparison, Live, ModelComparison, compare_environments, relate
from ops.diff.kept import Kept
from ops.diff.text import environment_lines
from ops.project import Project

from .versions import Chain, version_files

ORIGIN = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/acme-dev-churn/{}"


@pytest.fixture
def live(project, monkeypatch):
    """A live version of churn in an environment, whose records have versions 1 to 9."""
    monkeypatch.setattr("ops.diff.environments.recorded_versions", lambda *_: set(range(1, 10)))

    def live(name, number, artifact="a", *, code="c", content="d", origin=None, deployed=True):
        session = Project(project).environment(name)
        metadata = {"origin": ORIGIN.format(origin)} if origin else {}
        evidence = {"artifact": {"sha256": artifact}, "code": {"sha256": code}}
        facts = {"CustomerMetadataProperties": metadata, "content_digest": content}
        kept = Kept(session, "churn", number, {"facts": facts, "evidence": evidence}) if number else None
        return Live(session, "churn", {} if deployed else None, number, kept, "InService")

    return live


def test_same_bytes_are_same_artifact_whatever_their_numbers(live):
    assert relate(live("dev", 7), live("prod", 2, origin=7)) == ("same artifact", True)


@pytest.mark.parametrize(
    ("in_dev", "origin", "said"),
    [
        (7, 5, "prod is 2 versions behind dev (it has v5 of dev)"),
        (7, 6, "prod is 1 version behind dev (it has v6 of dev)"),
        (5, 7, "prod is 2 versions ahead of dev (it has v7 of dev)"),
        (7, 7, "prod has v7 of dev with another artifact"),
    ],
)
def test_promoted_version_is_behind_its_source(live, in_dev, origin, said):
    assert relate(live("dev", in_dev), live("prod", 2, "b", origin=origin)) == (said, False)
    assert relate(live("prod", 2, "b", origin=origin), live("dev", in_dev)) == (said, False)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, "trained in each: same code, same data"),
        ({"content": "e"}, "trained in each: same code, other data"),
        ({"code": "e", "content": None}, "trained in each: other code, data unknown"),
    ],
)
def test_versions_trained_in_each_environment_say_what_is_shared(live, other, said):
    assert relate(live("dev", 7), live("prod", 7, "b", **other)) == (said, False)


def test_model_without_endpoint_or_stack_is_named(live):
    assert relate(live("dev", 7), live("prod", None, deployed=False)) == ("not deployed in prod", False)
    assert relate(live("dev", None), live("prod", 7)) == ("no endpoint in dev", False)
    assert relate(live("dev", None), live("prod", None)) == ("no endpoint in either", True)


@pytest.fixture
def deployed(aws, project):
    """prod with version 7 of churn live, and its recorded settings."""
    session = Project(project).environment("prod")
    chain = Chain(session)
    chain.register(7, version_files())
    value = {"serving": {"mode": "realtime"}, "endpoint": "acme-prod-churn"}
    chain.add("configuration", facts={"operation": "Update", "version": 2, "value": value})
    session.client("ssm").put_parameter(
        Name=f"{session.names.models_parameter_prefix}churn", Value=json.dumps(value), Type="String"
    )
    sagemaker = session.client("sagemaker")
    sagemaker.describe_endpoint = lambda **_: {
        "EndpointStatus": "InService",
        "EndpointConfigName": "acme-prod-churn-v7-0123456789ab",
    }
    return session


def test_environment_equals_itself(deployed):
    found = compare_environments(deployed, deployed)
    assert (found.differs, found.problems) == (False, [])
    (model,) = found.models
    assert (model.relation, model.before.number, model.before.configuration[0]) == ("same artifact", 7, 2)


def test_settings_that_nobody_recorded_are_named(deployed):
    deployed.client("ssm").put_parameter(
        Name=f"{deployed.names.models_parameter_prefix}churn",
        Value=json.dumps({"endpoint": "acme-prod-churn"}),
        Type="String",
        Overwrite=True,
    )
    found = compare_environments(deployed, deployed)
    assert "the settings of churn in prod are not those that churn/chain/" in found.problems[0]


def test_live_version_without_record_is_named(deployed, monkeypatch):
    sagemaker = deployed.client("sagemaker")
    endpoint = sagemaker.describe_endpoint() | {"EndpointConfigName": "acme-prod-churn-v9-0123456789ab"}
    monkeypatch.setattr(sagemaker, "describe_endpoint", lambda **_: endpoint)
    found = compare_environments(deployed, deployed)
    assert (found.models[0].relation, found.differs) == ("cannot be compared", True)
    assert found.problems[0].startswith("there is no record of version 9 of churn in prod; the nearest are 7")


def test_setting_that_differs_in_many_models_is_shown_once(live):
    models = [
        ModelComparison(name, live("dev", 7), live("prod", 7), "same artifact", True, Section("settings", [change]))
        for name, change in (("a", Change("x", 1, 2)), ("b", Change("x", 1, 2)), ("c", Change("x", 1, 3)))
    ]
    sessions = [each.session for each in (models[0].before, models[0].after)]
    console = Console(file=io.StringIO(), width=80)
    for line in environment_lines(EnvironmentComparison(*sessions, Section("factory.yaml"), models)):
        console.print(line)
    headings = [line for line in console.file.getvalue().splitlines() if line.startswith("settings of")]
    assert headings == ["settings of a, b", "settings of c"]
