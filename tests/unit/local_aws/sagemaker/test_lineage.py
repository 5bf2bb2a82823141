"""Lineage entities that are created by hand, and queries along their associations."""

import itertools
import uuid

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker import lineage

from .conftest import ACCOUNT, REGION


@pytest.fixture
def sagemaker(aws):
    return aws.client("sagemaker")


@pytest.fixture
def graph(sagemaker):
    """ARNs of a manifest, a version, a deployment and an endpoint, associated in this order."""
    name = f"m{uuid.uuid4().hex[:8]}"
    source = {"SourceUri": f"s3://b/{name}/manifest.json"}
    manifest = sagemaker.create_artifact(Source=source, ArtifactType="DataSet")["ArtifactArn"]
    version = sagemaker.create_artifact(Source={"SourceUri": f"arn:{name}"}, ArtifactType="Model")["ArtifactArn"]
    action = sagemaker.create_action(
        ActionName=name, Source={"SourceUri": f"config/{name}"}, ActionType="ModelDeployment", Status="Completed"
    )["ActionArn"]
    context = sagemaker.create_context(ContextName=name, Source={"SourceUri": name}, ContextType="Endpoint")
    arns = [manifest, version, action, context["ContextArn"]]
    for ends in itertools.pairwise(arns):
        sagemaker.add_association(SourceArn=ends[0], DestinationArn=ends[1], AssociationType="ContributedTo")
    return arns


def error(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]


def test_query_goes_from_endpoint_to_data(sagemaker, graph):
    manifest, version, action, context = graph
    found = sagemaker.query_lineage(StartArns=[context], Direction="Ascendants", IncludeEdges=True)
    assert [each["Arn"] for each in found["Vertices"]] == [action, version, manifest]
    assert len(found["Edges"]) == 3
    only = sagemaker.query_lineage(
        StartArns=[context], Direction="Ascendants", Filters={"Types": ["DataSet"], "LineageTypes": ["Artifact"]}
    )
    assert [(each["Arn"], each["Type"]) for each in only["Vertices"]] == [(manifest, "DataSet")]
    assert sagemaker.query_lineage(StartArns=[context], Direction="Descendants")["Vertices"] == []
    near = sagemaker.query_lineage(StartArns=[context], Direction="Ascendants", MaxDepth=1)
    assert [each["Arn"] for each in near["Vertices"]] == [action]


def test_source_has_one_artifact(sagemaker, graph):
    uri = sagemaker.describe_artifact(ArtifactArn=graph[0])["Source"]["SourceUri"]
    request = {"Source": {"SourceUri": uri}, "ArtifactType": "DataSet"}
    assert error(sagemaker.create_artifact, **request)["Code"] == "ValidationException"
    assert [each["ArtifactArn"] for each in sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]] == graph[:1]


def test_association_exists_once(sagemaker, graph):
    again = {"SourceArn": graph[0], "DestinationArn": graph[1]}
    assert error(sagemaker.add_association, **again)["Code"] == "ValidationException"
    (summary,) = sagemaker.list_associations(DestinationArn=graph[1])["AssociationSummaries"]
    assert (summary["SourceArn"], summary["SourceType"]) == (graph[0], "DataSet")


def test_entity_with_associations_is_not_deleted(sagemaker, graph):
    assert "has associations" in error(sagemaker.delete_artifact, ArtifactArn=graph[0])["Message"]
    sagemaker.delete_association(SourceArn=graph[0], DestinationArn=graph[1])
    sagemaker.delete_artifact(ArtifactArn=graph[0])
    assert error(sagemaker.delete_artifact, ArtifactArn=graph[0])["Code"] == "ResourceNotFound"


def test_quota_of_artifacts_is_met(aws, sagemaker, monkeypatch):
    full = {f"arn:{number}": {"ArtifactArn": ""} for number in range(lineage.LIMITS["artifact"])}
    state = aws.local._dispatcher.replaced["sagemaker"].state(ACCOUNT, REGION)
    monkeypatch.setattr(state, "lineage", full)
    refused = error(sagemaker.create_artifact, Source={"SourceUri": "s3://b/one-more"}, ArtifactType="DataSet")
    assert refused["Code"] == "ResourceLimitExceeded"
