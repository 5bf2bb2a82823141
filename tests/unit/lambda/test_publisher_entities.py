"""The publisher: SageMaker's lineage entities of the newest versions and deployments."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .cloud import ACCOUNT, REGION, refused
from .published_records import SAGEMAKER


def test_lineage_leads_from_endpoint_to_manifest(factory):
    factory.publish(factory.register(), factory.deploy())
    (context,) = factory.sagemaker.list_contexts(SourceUri=f"{SAGEMAKER}:endpoint/{factory.cloud.name}")[
        "ContextSummaries"
    ]
    found = factory.sagemaker.query_lineage(
        StartArns=[context["ContextArn"]], Direction="Ascendants", Filters={"Types": ["DataSet"]}
    )
    (vertex,) = found["Vertices"]
    artifact = factory.sagemaker.describe_artifact(ArtifactArn=vertex["Arn"])
    assert artifact["Source"]["SourceUri"].endswith("/manifest.json")
    assert artifact["Source"]["SourceTypes"] == [{"SourceIdType": "S3Version", "Value": "v1"}]
    assert artifact["Properties"]["git_commit"] == "4b825dc"


@pytest.fixture
def kept(factory, monkeypatch):
    """A smaller number of versions and deployments that have entities."""
    monkeypatch.setitem(factory.function.module.Entities.registered.__globals__, "KEPT", 2)
    return 2


def test_entities_of_oldest_version_and_deployment_are_deleted(factory, kept):
    for version in range(1, kept + 2):
        factory.publish_entities(factory.register(version))
        factory.publish_entities(factory.deploy(version=version, configuration=f"c{version}"))
    entities, associations = factory.lineage
    manifests = [arn for arn in entities if factory.cloud.state.lineage[arn].get("ArtifactType") == "DataSet"]
    actions = [arn for arn in entities if ":action/" in arn]
    assert (len(manifests), len(actions), len(associations)) == (kept, kept, 3 * kept)


def test_configuration_that_is_deployed_again_keeps_its_action(factory, kept):
    factory.publish_entities(factory.register())
    for configuration in ("c1", "c2", "c1", "c3"):
        factory.publish_entities(factory.deploy(configuration=configuration))
    actions = {arn.rpartition("-")[2] for arn in factory.lineage[0] if ":action/" in arn}
    assert actions == {"c1", "c3"}


def test_deployed_version_keeps_its_entities(factory, kept):
    factory.publish_entities(factory.register(1), factory.deploy(version=1))
    for version in range(2, kept + 3):
        factory.publish_entities(factory.register(version))
    sources = {factory.cloud.state.lineage[arn]["Source"]["SourceUri"] for arn in factory.lineage[0]}
    assert f"s3://artifacts/{factory.model}/executions/1/manifest.json" in sources
    assert f"s3://artifacts/{factory.model}/executions/2/manifest.json" not in sources


def test_deletion_archives_cards_and_deletes_entities(factory):
    factory.publish(factory.register(), factory.deploy())
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{factory.cloud.name}/0a1b"
    facts = {"versions_deleted": True, "endpoint": factory.cloud.name}
    deletion = factory.write("deletion", facts, subject=stack)
    factory.publish(deletion, deletion)
    assert [card["ModelCardStatus"] for card in factory.cards()] == ["Archived"]
    assert factory.lineage == (set(), set())


def test_deletion_that_keeps_versions_changes_nothing(factory):
    factory.publish(factory.register())
    before = factory.cards(), factory.lineage
    facts = {"versions_deleted": False, "endpoint": factory.cloud.name}
    factory.publish(factory.write("deletion", facts, subject=f"arn:stack/{factory.cloud.name}"))
    assert (factory.cards(), factory.lineage) == before


def test_all_pages_of_associations_are_deleted(factory):
    factory.publish(factory.register())
    (manifest,) = [
        arn for arn in factory.lineage[0] if factory.cloud.state.lineage[arn].get("ArtifactType") == "DataSet"
    ]
    for number in range(12):  # ListAssociations has ten in a page
        used = factory.sagemaker.create_artifact(
            Source={"SourceUri": f"s3://artifacts/{factory.model}/{number}"}, ArtifactType="DataSet"
        )
        factory.sagemaker.add_association(SourceArn=manifest, DestinationArn=used["ArtifactArn"])
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{factory.cloud.name}/0a1b"
    facts = {"versions_deleted": True, "endpoint": factory.cloud.name}
    factory.publish(factory.write("deletion", facts, subject=stack))
    assert manifest not in factory.lineage[0]


@pytest.mark.parametrize("code", ["ConflictException", "ValidationException", "ThrottlingException"])
@pytest.mark.parametrize("kind", ["artifact", "action", "context"])
def test_entity_that_was_created_at_the_same_time_is_used(factory, kind, code):
    """The first list does not show it yet; SageMaker refuses to create it."""
    lists = iter([[], [{"ArtifactArn": "arn", "ActionArn": "arn", "ContextArn": "arn", "ActionName": "c1"}]])

    def refused(**_):
        raise ClientError({"Error": {"Code": code, "Message": "exists"}}, "Create")

    names = {"list": f"list_{kind}s", "create": f"create_{kind}", "summaries": f"{kind.capitalize()}Summaries"}
    sagemaker = SimpleNamespace(
        **{names["list"]: lambda **_: {names["summaries"]: next(lists)}, names["create"]: refused}
    )
    entities = factory.function.module.Entities(sagemaker, None, "acme-prod")
    calls = {
        "artifact": lambda: entities._artifact({"SourceUri": "s3://a"}, "DataSet"),
        "action": lambda: entities._action(ActionName="c1", ActionType="Deployment", Source={"SourceUri": "arn:e"}),
        "context": lambda: entities._context("arn:e", "e"),
    }
    if code == "ThrottlingException":
        with pytest.raises(ClientError, match=code):
            calls[kind]()
    else:
        assert calls[kind]() == "arn"


@pytest.mark.parametrize(("outcome", "subject"), [("rolled back", "arn:model-package/m/1"), ("succeeded", None)])
def test_deployment_without_entities_deletes_none(factory, outcome, subject):
    entities = factory.function.module.Entities(None, None, "acme-prod")  # any call of SageMaker fails
    entities._forget_deployment({"subject": subject, "facts": {"outcome": outcome, "configuration": "c1"}})


def test_version_without_manifest_has_no_entities(factory):
    entities = factory.function.module.Entities(None, None, "acme-prod")  # any call of SageMaker fails
    entities.registered({"model": "churn", "version": 2, "evidence": {}, "facts": {}})


@pytest.mark.parametrize(("code", "is_raised"), [("ResourceNotFound", False), ("ThrottlingException", True)])
def test_entity_that_is_gone_is_deleted(factory, code, is_raised):
    def delete(**_):
        raise refused(code)

    entities = factory.function.module.Entities(None, None, "acme-prod")
    if is_raised:
        with pytest.raises(ClientError, match=code):
            entities._unless_gone(delete, ActionName="c1")
    else:
        entities._unless_gone(delete, ActionName="c1")
