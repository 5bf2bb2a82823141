"""A delivery to environments in two regions: what CDK Pipelines adds for the second."""

import json

import pytest
from aws_cdk.assertions import Match

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


def test_deployment_actions_run_in_the_stage_region(pipeline):
    for stage in pipeline["Stages"]:
        for action in stage["Actions"]:
            deploys_there = stage["Name"] == "live" and action["ActionTypeId"]["Provider"] == "CloudFormation"
            assert action.get("Region", "eu-west-1") == (THERE if deploys_there else "eu-west-1"), action["Name"]


def test_each_region_has_an_artifact_store_with_its_own_key(pipeline, support):
    stores = {store["Region"]: store["ArtifactStore"] for store in pipeline["ArtifactStores"]}
    assert set(stores) == {"eu-west-1", THERE}
    assert stores[THERE]["Location"] == support.one("S3::Bucket")["BucketName"]
    assert stores[THERE]["EncryptionKey"]["Id"].endswith(support.one("KMS::Alias")["AliasName"])
    assert support.one("KMS::Key")["EnableKeyRotation"] is True


def test_copies_expire_with_the_artifacts(support):
    rule = {"ExpirationInDays": 90, "NoncurrentVersionExpiration": {"NoncurrentDays": 90}}
    support.cdk.resource_count_is("AWS::S3::Bucket", 1)
    support.cdk.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "LifecycleConfiguration": {"Rules": [Match.object_like(rule)]},
            "VersioningConfiguration": {"Status": "Enabled"},
        },
    )


def test_copies_are_readable_by_the_target_account_only(support):
    (policy,) = support.all("S3::BucketPolicy")
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    principals = json.dumps([statement["Principal"] for statement in allowed])
    assert f"333333333333:role/cdk-hnb659fds-deploy-role-333333333333-{THERE}" in principals
    assert "111111111111" not in principals
