"""A delivery to environments in two regions: what CDK Pipelines adds for the second."""

import json

import pytest

from .conftest import Template

THERE = "eu-central-1"


@pytest.fixture(scope="module")
def pipeline(synthesized):
    template = Template(synthesized / "delivered" / "acme-delivery.template.json")
    return template.one("CodePipeline::Pipeline", Name="acme-delivery")


@pytest.fixture(scope="module")
def support(synthesized):
    (path,) = (synthesized / "delivered").glob(f"cross-region-stack-*{THERE}.template.json")
    return Template(path)


def test_stacks_are_deployed_from_their_region_and_everything_else_where_the_pipeline_is(pipeline):
    for stage in pipeline["Stages"]:
        for action in stage["Actions"]:
            deploys_there = stage["Name"] == "live" and action["ActionTypeId"]["Provider"] == "CloudFormation"
            assert action.get("Region", "eu-west-1") == (THERE if deploys_there else "eu-west-1"), action["Name"]


def test_each_region_has_an_artifact_store_with_a_key_of_its_own(pipeline, support):
    stores = {store["Region"]: store["ArtifactStore"] for store in pipeline["ArtifactStores"]}
    assert set(stores) == {"eu-west-1", THERE}
    assert stores[THERE]["Location"] == support.one("S3::Bucket")["BucketName"]
    assert stores[THERE]["EncryptionKey"]["Id"].endswith(support.one("KMS::Alias")["AliasName"])
    assert support.one("KMS::Key")["EnableKeyRotation"] is True


def test_copies_go_when_the_artifacts_do(support):
    bucket = support.one("S3::Bucket")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]) == (90, {"NoncurrentDays": 90})
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_only_the_account_that_is_delivered_to_reads_the_copies(support):
    (policy,) = support.all("S3::BucketPolicy")
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    principals = json.dumps([statement["Principal"] for statement in allowed])
    assert f"333333333333:role/cdk-hnb659fds-deploy-role-333333333333-{THERE}" in principals
    assert "111111111111" not in principals
