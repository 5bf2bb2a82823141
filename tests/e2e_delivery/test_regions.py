"""Staging is in another region, for which CodePipeline has an artifact store in that region."""

import pytest

from local_aws.accounts import Accounts
from model_factory.ops.local.demo_delivery.workspace import TOOLING

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
STAGING_REGION = "eu-central-1"


@pytest.fixture(scope="module")
def store(live):
    """The pipeline's artifact store in the region of staging."""
    stores = live.client("codepipeline").get_pipeline(name="acme-delivery")["pipeline"]["artifactStores"]
    assert set(stores) == {TOOLING[1], STAGING_REGION}
    return stores[STAGING_REGION]


def test_stacks_of_staging_are_deployed_in_its_region(live):
    regions = {
        action["actionName"]: action["input"]["region"]
        for action in live.deliveries.actions(live.execution["pipelineExecutionId"])
    }
    deployed = {name for name, region in regions.items() if region == STAGING_REGION}
    assert deployed == {
        f"acme-staging-{stack}.{step}" for stack in ("foundation", "sales", "offers") for step in ("Prepare", "Deploy")
    }


def test_artifacts_of_staging_are_encrypted_with_key_in_its_region(live, store):
    accounts: Accounts = live.workspace.local.accounts
    s3, kms = (accounts.client(service, TOOLING[0], STAGING_REGION) for service in ("s3", "kms"))
    bucket = store["location"]
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == STAGING_REGION
    key = kms.describe_key(KeyId=store["encryptionKey"]["id"])["KeyMetadata"]["Arn"]
    assert key.startswith(f"arn:aws:kms:{STAGING_REGION}:{TOOLING[0]}:key/")
    copies = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert copies
    heads = [s3.head_object(Bucket=bucket, Key=copy) for copy in copies]
    assert {head["ServerSideEncryption"] for head in heads} == {"aws:kms"}
    assert {head["SSEKMSKeyId"] for head in heads} <= {key, store["encryptionKey"]["id"]}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"] == {"Days": 90}


def test_versions_of_staging_use_resources_in_its_region(live):
    session = live.session("staging")
    versions = [live.version("staging", model, 1) for model in ("sales", "offers")]
    for version in versions:
        container = version["InferenceSpecification"]["Containers"][0]
        assert version["ModelPackageArn"].startswith(f"arn:aws:sagemaker:{STAGING_REGION}:")
        assert container["ModelDataUrl"].startswith(f"s3://{session.names.bucket('artifacts')}/")
        assert f".{STAGING_REGION}." in container["Image"]
