"""Isolation of accounts: principals of dev have no access to resources of prod."""

import json
from functools import cache

import pytest
from botocore.exceptions import ClientError

from local_aws.sessions import EndpointSession

pytestmark = [pytest.mark.e2e, pytest.mark.permissions]
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def prod(deployed):
    """Resources of prod: an encrypted object, the key, the training pipeline and a pending version."""
    s3, kms, sagemaker = (deployed.client(service) for service in ("s3", "kms", "sagemaker"))
    bucket = deployed.session.names.bucket("data")
    s3.put_object(Bucket=bucket, Key="sales/secret", Body=b"secret")
    key = kms.describe_key(KeyId=deployed.session.names.key_alias)["KeyMetadata"]["Arn"]
    version = sagemaker.create_model_package(
        ModelPackageGroupName=deployed.names.model_package_group, ModelApprovalStatus="PendingManualApproval"
    )["ModelPackageArn"]
    yield {
        "bucket": bucket,
        "key": key,
        "ciphertext": kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"],
        "pipeline": sagemaker.describe_pipeline(PipelineName=deployed.names.training_pipeline)["PipelineArn"],
        "version": version,
    }
    sagemaker.delete_model_package(ModelPackageName=version)
    s3.delete_object(Bucket=bucket, Key="sales/secret")


@pytest.fixture(scope="module", params=["deployed job role", "administrator of dev"])
def intruder(request, deployed):
    """Creates clients with the credentials of a principal in dev's account."""
    dev = deployed.session.project.environment("dev")
    iam, job = dev.client("iam"), dev.names.model("sales").role("train-job")
    name = "insider" if "administrator" in request.param else job
    if name == "insider":
        trust = iam.get_role(RoleName=job)["Role"]["AssumeRolePolicyDocument"]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    assumed = deployed.local.accounts.assume(f"arn:aws:iam::{dev.environment.account}:role/{name}", "intruder")
    credentials = {key.lower(): value for key, value in assumed.items()}
    session = EndpointSession(deployed.local.endpoint_url, region_name=dev.environment.region, **credentials)
    yield cache(session.client)
    if name == "insider":
        iam.delete_role_policy(RoleName=name, PolicyName="all")
        iam.delete_role(RoleName=name)


ATTEMPTS = {
    "write prod's bucket": (
        "s3:PutObject",
        lambda client, prod: client("s3").put_object(
            Bucket=prod["bucket"], Key="sales/raw/dt=2026-11-01/poison.csv", Body=b""
        ),
    ),
    "read prod's data": (
        "s3:GetObject",
        lambda client, prod: client("s3").get_object(Bucket=prod["bucket"], Key="sales/secret"),
    ),
    "decrypt with prod's key": (
        "kms:Decrypt",
        lambda client, prod: client("kms").decrypt(CiphertextBlob=prod["ciphertext"], KeyId=prod["key"]),
    ),
    "start prod's pipeline": (
        "sagemaker:StartPipelineExecution",
        lambda client, prod: client("sagemaker").start_pipeline_execution(
            PipelineName=prod["pipeline"], ClientRequestToken="x" * 32
        ),
    ),
    "approve prod's model": (
        "sagemaker:UpdateModelPackage",
        lambda client, prod: client("sagemaker").update_model_package(
            ModelPackageArn=prod["version"], ModelApprovalStatus="Approved"
        ),
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_principal_of_dev_is_denied_in_prod(attempt, intruder, prod, deployed):
    action, call = ATTEMPTS[attempt]
    before = deployed.newest_execution(deployed.names.training_pipeline)
    with pytest.raises(ClientError) as caught:
        call(intruder, prod)
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException")
    assert "assumed-role/" in error["Message"]
    assert f"is not authorized to perform: {action} on resource: " in error["Message"]
    assert deployed.newest_execution(deployed.names.training_pipeline) == before
    version = deployed.client("sagemaker").describe_model_package(ModelPackageName=prod["version"])
    assert version["ModelApprovalStatus"] == "PendingManualApproval"


def test_administrator_of_dev_is_allowed_in_dev(intruder, deployed, request):
    """The account is the reason of the denial: the same principal may write to the bucket of dev."""
    if "administrator" not in request.node.callspec.params["intruder"]:
        pytest.skip("the job role has no such permission in dev")
    bucket = deployed.session.project.environment("dev").names.bucket("data")
    assert intruder("s3").put_object(Bucket=bucket, Key="sales/test", Body=b"")
    intruder("s3").delete_object(Bucket=bucket, Key="sales/test")
