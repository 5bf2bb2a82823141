"""`model-factory doctor`: needs from templates, findings of every kind, errors that end one check only."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from model_factory.ops.doctor import account, region
from model_factory.ops.doctor.assembly import Stack, resolve, stacks_of
from model_factory.ops.doctor.findings import Check, run_checks
from model_factory.ops.doctor.needs import NAME_PROPERTIES, Instances, Needs, needs_of
from model_factory.ops.project import Project, UsageError

REGION = "eu-west-1"
PARAMETER = "/cdk-bootstrap/hnb659fds/version"
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


def step(kind, instance, count=1):
    cluster = {"InstanceType": instance, "InstanceCount": count}
    return {"Name": kind, "Type": kind, "Arguments": {"ClusterConfig": cluster, "Image": {"ImageUri": IMAGE}}}


def pipeline(*steps):
    body = {"Fn::Join": ["", [json.dumps({"Steps": steps})[:-1], ', "Key": "', {"Fn::ImportValue": "key"}, '"}']]}
    properties = {"PipelineName": "p", "PipelineDefinition": {"PipelineDefinitionBody": body}}
    return {"Type": "AWS::SageMaker::Pipeline", "Properties": properties}


TEMPLATE = {
    "Parameters": {
        "Powertools": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/aws/service/powertools/x"},
        "Bootstrap": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": PARAMETER},
    },
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "acme-prod-data"}},
        "Rule": {"Type": "AWS::Events::Rule"},
        "Train": pipeline(
            step("Processing", "ml.m5.xlarge"),
            step("Training", "ml.m5.xlarge", 2),
            {"Type": "Condition", "Arguments": {"IfSteps": [step("Processing", "ml.m5.xlarge")]}},
        ),
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"AvailabilityZone": {"Fn::Select": [1, {"Fn::GetAZs": ""}]}},
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {"VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.eu-west-1.ssm"},
        },
    },
}
STACK = Stack("acme-prod-churn", TEMPLATE, 6, PARAMETER, "arn:aws:iam::123456789012:role/cdk-hnb659fds-deploy-role")


@pytest.fixture
def session(project, aws):
    return Project(project).environment("prod")


def client(service):
    return boto3.client(service.partition(":")[0], region_name=REGION)


def statuses(found):
    return [(status, what) for status, what, _ in found]


def test_needs_are_counted_from_templates_and_models(project):
    needs = needs_of([STACK], Project(project).models)
    assert needs.parameters == {"/aws/service/powertools/x"}
    assert needs.images == {IMAGE}
    assert (needs.zones, needs.interface_services) == ([1], {"com.amazonaws.eu-west-1.ssm"})
    assert needs.named == {
        "acme-prod-churn": [("AWS::S3::Bucket", "acme-prod-data"), ("AWS::SageMaker::Pipeline", "p")]
    }
    assert needs.instances == [
        Instances("processing job", "ml.m5.xlarge", 1, 2),
        Instances("training job", "ml.m5.xlarge", 2, 2),
        Instances("endpoint", "ml.m5.large", 2, 2),
    ]
    assert {"events", "s3", "sagemaker", "ec2"} <= set(needs.services)


def test_pseudo_parameters_are_filled_in():
    value = {"Fn::Join": ["", ["com.", {"Ref": "AWS::Region"}, ".s3"]], "other": "${AWS::Partition}"}
    assert resolve(value["Fn::Join"], "1", "cn-north-1") == ["", ["com.", "cn-north-1", ".s3"]]
    assert resolve({"Fn::Join": value["Fn::Join"]}, "1", "cn-north-1") == "com.cn-north-1.s3"
    assert resolve(value["other"], "1", "us-gov-west-1") == "aws-us-gov"
    assert resolve({"Ref": "Bucket"}, "1", REGION) == {"Ref": "Bucket"}


def test_assembly_without_stacks_of_environment_is_an_error(session, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    with pytest.raises(UsageError, match="has no stack for prod"):
        stacks_of(session, tmp_path)
    with pytest.raises(UsageError, match="is no cloud assembly"):
        stacks_of(session, tmp_path / "nothing")


def refused(code):
    def find():
        raise ClientError({"Error": {"Code": code, "Message": "words of AWS"}}, "GetRole")
        yield

    return find


@pytest.mark.parametrize(
    ("code", "mend"), [("AccessDenied", "permissions"), ("ThrottlingException", "later"), ("Other", "")]
)
def test_check_that_cannot_be_made_ends_no_other(code, mend):
    first, second = run_checks([Check("a", refused(code)), Check("b", lambda: [("ok", "fine", "")])])
    assert (first.status, second.status) == ("not checked", "ok")
    assert "words of AWS" in first.what
    assert mend in first.mend


@pytest.mark.parametrize(("version", "status"), [(None, "problem"), ("5", "problem"), ("6", "ok")])
def test_bootstrap_version_is_compared(session, version, status):
    if version:
        client("ssm").put_parameter(Name=PARAMETER, Value=version, Type="String")
    ((found, _, mend),) = account.bootstrap(session, client, [STACK])
    assert found == status
    assert mend.startswith("cdk bootstrap aws://123456789012/eu-west-1") == (status == "problem")


def test_deploy_role_without_trust_is_a_problem(project, aws):
    delivery = 'delivery: {account: "999999999999", region: eu-west-1, source: codecommit, repository: models}\n'
    path = project / "factory.yaml"
    path.write_text(path.read_text() + delivery)
    session = Project(project).environment("prod")
    ((status, what, mend),) = account.delivery_trust(session, client, [STACK])
    assert (status, "does not trust the tooling account 999999999999" in what) == ("problem", True)
    assert "--trust 999999999999 --cloudformation-execution-policies" in mend
    client("iam").create_role(
        RoleName="cdk-hnb659fds-deploy-role",
        AssumeRolePolicyDocument='{"Principal": {"AWS": "arn:aws:iam::999999999999:root"}}',
    )
    assert next(account.delivery_trust(session, client, [STACK]))[0] == "ok"


def test_leftover_bucket_of_missing_stack_is_a_problem(session):
    needs = needs_of([STACK], {})
    deployed: dict[str, bool] = {}
    assert statuses(account.existing_stacks(client, [STACK], deployed)) == [("ok", "none of the 1 stacks exists yet")]
    assert statuses(account.existing_names(client, needs, deployed)) == [("ok", "2 names of resources are free")]
    client("s3").create_bucket(Bucket="acme-prod-data", CreateBucketConfiguration={"LocationConstraint": REGION})
    (problem, free) = account.existing_names(client, needs, deployed)
    assert (problem[0], free[0]) == ("problem", "ok")
    assert "aws s3 rb s3://acme-prod-data --force" in problem[2]


def test_job_log_groups_without_retention_and_key_are_warnings(aws):
    from model_factory.ops.doctor.job_logs import GROUPS, job_logs

    logs = client("logs")
    assert [status for status, _, _ in job_logs(client)] == ["ok", "ok"]
    logs.create_log_group(logGroupName=GROUPS[0])
    logs.create_log_group(logGroupName=GROUPS[1], kmsKeyId="arn:aws:kms:eu-west-1:123456789012:key/a")
    logs.put_retention_policy(logGroupName=GROUPS[1], retentionInDays=365)
    found = list(job_logs(client))
    assert [status for status, _, _ in found] == ["warning", "warning", "ok"]
    assert ["put-retention-policy" in found[0][2], "associate-kms-key" in found[1][2]] == [True, True]


class Refusing:
    """A client whose every call fails with one error code."""

    def __init__(self, code):
        self.code = code

    def __getattr__(self, operation):
        def call(**_):
            raise ClientError({"Error": {"Code": self.code, "Message": "Forbidden"}}, operation)

        return call


def test_bucket_of_another_account_is_a_problem():
    needs = Needs(named={"stack": [("AWS::S3::Bucket", "acme")]})
    ((status, what, _),) = account.existing_names(lambda _: Refusing("403"), needs, {"stack": False})
    assert (status, "belongs to another account" in what) == ("problem", True)


@pytest.mark.parametrize(
    ("stack_status", "status", "command"),
    [
        ("ROLLBACK_COMPLETE", "problem", "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", "problem", "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", "warning", "wait"),
        ("UPDATE_COMPLETE", "ok", ""),
    ],
)
def test_state_of_existing_stack_is_a_finding(stack_status, status, command):
    class CloudFormation:
        def describe_stacks(self, **_):
            return {"Stacks": [{"StackStatus": stack_status}]}

    ((found, _, mend),) = account.existing_stacks(lambda _: CloudFormation(), [STACK], {})
    assert (found, command in mend) == (status, True)


def test_missing_service_and_parameter_are_problems(session):
    needs = needs_of([STACK], {})
    needs.resources["AWS::Telepathy::Mind"] = 1
    assert ("problem", "eu-west-1 does not offer the service telepathy") in statuses(
        region.services(client, REGION, needs)
    )
    assert [status for status, _ in statuses(region.parameters(client, REGION, needs))] == ["problem"]


class Ec2:
    """Three zones; Systems Manager's endpoint is missing in the second one."""

    def describe_availability_zones(self, **_):
        return {"AvailabilityZones": [{"ZoneName": f"eu-west-1{each}", "State": "available"} for each in "abc"]}

    def describe_vpc_endpoint_services(self, ServiceNames):
        zones = ["eu-west-1a", "eu-west-1c"]
        return {"ServiceDetails": [{"ServiceName": name, "AvailabilityZones": zones} for name in ServiceNames]}


def test_zone_without_endpoint_service_is_a_problem():
    ((status, what, mend),) = region.zones(lambda _: Ec2(), needs_of([STACK], {}))
    assert (status, what) == (
        "problem",
        "com.amazonaws.eu-west-1.ssm has no endpoint in eu-west-1b, where the network has subnets",
    )
    assert "eu-west-1a, eu-west-1c" in mend
    needs = Needs(zones=["eu-west-1a", "eu-west-1c"], interface_services={"com.amazonaws.eu-west-1.ssm"})
    assert [status for status, _ in statuses(region.zones(lambda _: Ec2(), needs))] == ["ok"]


def test_image_that_cannot_be_pulled_is_a_problem(session):
    ((status, what, _),) = region.images(client, Needs(images={IMAGE}))
    assert (status, "has no such repository" in what) == ("problem", True)
    (problem,) = statuses(region.images(client, Needs(images={"docker.io/library/python:3"})))
    assert problem[0] == "problem"


def test_missing_permissions_boundary_is_a_problem(session):
    needs = Needs(boundaries={"arn:aws:iam::123456789012:policy/Bounds"})
    ((status, _, mend),) = account.permissions_boundaries(client, needs)
    assert (status, "--policy-name Bounds" in mend) == ("problem", True)
    client("iam").create_policy(
        PolicyName="Bounds",
        PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    )
    assert [status for status, _ in statuses(account.permissions_boundaries(client, needs))] == ["ok"]


def test_every_type_with_a_name_has_a_probe():
    assert set(account.PROBES) == set(NAME_PROPERTIES)


def test_missing_service_linked_role_is_a_warning(session):
    ((status, _, mend),) = account.service_linked_roles(client, Needs(scaling=True))
    assert (status, "create-service-linked-role" in mend) == ("warning", True)
    assert list(account.service_linked_roles(client, Needs(scaling=False))) == []


def test_doctor_without_app_says_so(run, project, aws):
    code, _, err = run("doctor", "--project", str(project))
    assert code == 1
    assert "cdk.json cannot be read" in err
    assert "--app" in err


def test_doctor_in_another_account_is_a_problem(run, project, aws, tmp_path):
    manifest = {
        "artifacts": {
            "acme-dev-foundation": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://111111111111/eu-west-1",
                "properties": {"templateFile": "t.json"},
            }
        }
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "t.json").write_text(json.dumps({"Resources": {}}))
    code, out, _ = run("doctor", "--env", "dev", "--app", str(tmp_path), "--json", "--project", str(project))
    (finding,) = json.loads(out)
    assert (code, finding["status"]) == (1, "problem")
    assert "you are signed in to account 123456789012" in finding["what"]
