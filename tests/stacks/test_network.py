"""`network: isolated` and an existing VPC: subnets of workloads, VPC endpoints and their policies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.authorization.conditions import Context
from local_aws.authorization.context import ABSENT
from local_aws.authorization.evaluation import Policies, Request, evaluate
from local_aws.authorization.policies import Principal, parse
from local_aws.function_roles import needs

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

INSIDE = ["retrain", "deploy", "score", "recorder", "publisher", "endpoint-cleanup", "monitor"]
JOBS = ["churn-train-job", "churn-monitor-job", "churn-endpoint"]
# Called by AWS services outside of the VPC on behalf of workloads: whole services, and single actions.
CALLED_FROM_OUTSIDE = {"ec2", "ecr", "iam", "logs", "xray"}
ASKED_OF_THE_CALLER = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:CreateGrant",
    "kms:DescribeKey",
}
EXISTING = {
    "Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
}


def endpoints(template):
    """Policies of the VPC endpoints, by service."""
    found = {}
    for each in template.all("EC2::VPCEndpoint"):
        parts = each["ServiceName"]["Fn::Join"][1] if isinstance(each["ServiceName"], dict) else [each["ServiceName"]]
        name = "".join(part if isinstance(part, str) else "eu-central-1" for part in parts)
        assert name.startswith("com.amazonaws.eu-central-1.")
        found[name.removeprefix("com.amazonaws.eu-central-1.")] = each["PolicyDocument"]["Statement"]
    return found


def listed(value):
    return value if isinstance(value, list) else [value]


def jobs_of(template, environment):
    """The requests for jobs in both pipelines."""
    for pipeline in ("train", "monitor"):
        for step in template.definition(f"acme-{environment}-churn-{pipeline}")["Steps"]:
            if step["Type"] in ("Processing", "Training"):
                yield step["Arguments"]


def vpc_config(job):
    return job.get("NetworkConfig", job).get("VpcConfig")


def settings(template, environment):
    """The settings parameter as the deploy function reads it; tokens as `x`."""
    value = template.one("SSM::Parameter", Name=f"/acme/{environment}/models/churn")["Value"]
    return json.loads("".join(part if isinstance(part, str) else "x" for part in value["Fn::Join"][1]))


def test_isolated_vpc_has_no_route_to_the_internet(isolated_foundation):
    kinds = {resource["Type"] for resource in isolated_foundation.resources.values()}
    assert {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::FlowLog"} <= kinds
    routes_out = ("InternetGateway", "NatGateway", "VPCGatewayAttachment", "EgressOnlyInternetGateway", "Route", "EIP")
    assert not kinds & {
        f"AWS::EC2::{kind}" for kind in (*routes_out, "VPCPeeringConnection", "TransitGatewayAttachment")
    }
    subnets = isolated_foundation.all("EC2::Subnet")
    assert [subnet["MapPublicIpOnLaunch"] for subnet in subnets] == [False, False]
    assert subnets[0]["AvailabilityZone"] != subnets[1]["AvailabilityZone"]


def test_workloads_alone_can_connect_to_endpoints(isolated_foundation):
    workloads, services = sorted(isolated_foundation.all("EC2::SecurityGroup"), key=lambda g: g["GroupDescription"])
    assert "SecurityGroupIngress" not in workloads
    assert [(rule["FromPort"], rule["ToPort"]) for rule in workloads["SecurityGroupEgress"]] == [(443, 443)]
    (rule,) = services["SecurityGroupIngress"]
    assert "CidrIp" not in rule
    assert "Workloads" in json.dumps(rule["SourceSecurityGroupId"])


def test_endpoints_are_those_of_the_called_services(isolated_foundation):
    assert set(endpoints(isolated_foundation)) == {
        "s3",
        "sagemaker.api",
        "monitoring",
        "ssm",
        "sqs",
        "kms",
        "events",
        "application-autoscaling",
    }


def test_endpoints_allow_principals_of_this_account_only(isolated_foundation):
    for service, policy in endpoints(isolated_foundation).items():
        for statement in policy:
            if "cloudformation-custom-resource-response-eucentral1" in json.dumps(statement["Resource"]):
                assert (service, statement["Action"]) == ("s3", "s3:PutObject")
            else:
                assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == "444444444444"


def test_endpoints_allow_exactly_the_calls_from_inside(isolated_foundation, isolated_model):
    roles = [isolated_foundation.statements(f"acme-vault-{name}") for name in INSIDE]
    roles += [isolated_model.statements(f"acme-vault-{name}") for name in JOBS]
    called = {action for role in roles for statement in role for action in statement["Action"]}
    called = {action for action in called if action.split(":")[0] not in CALLED_FROM_OUTSIDE} - ASKED_OF_THE_CALLER
    allowed = {
        action
        for policy in endpoints(isolated_foundation).values()
        for statement in policy
        for action in listed(statement["Action"])
    }
    assert allowed == called


def test_flow_log_is_encrypted(isolated_foundation):
    log = isolated_foundation.one("EC2::FlowLog")
    assert (log["TrafficType"], log["LogGroupName"]) == ("ALL", "/aws/vpc/acme-vault")
    group = isolated_foundation.one("Logs::LogGroup", LogGroupName="/aws/vpc/acme-vault")
    assert group["KmsKeyId"]
    key = json.dumps(isolated_foundation.one("KMS::Key", EnableKeyRotation=True))
    assert "log-group:/aws/vpc/acme-vault" in key


@pytest.mark.parametrize("environment", ["isolated", "shared"])
def test_functions_jobs_and_models_are_in_the_vpc(request, environment):
    foundation = request.getfixturevalue(f"{environment}_foundation")
    model = request.getfixturevalue(f"{environment}_model")
    name = {"isolated": "vault"}.get(environment, environment)
    # Outside are the function for alerts and the signer: they read and write texts of alerts, and digests of records, no data.
    functions = [
        f for f in foundation.all("Lambda::Function") if not f["FunctionName"].endswith(("-alerts", "-record-signer"))
    ]
    assert len(functions) == len(INSIDE)
    assert all(f["VpcConfig"]["SubnetIds"] and f["VpcConfig"]["SecurityGroupIds"] for f in functions)
    jobs = list(jobs_of(model, name))
    assert len(jobs) == 4
    for place in [*map(vpc_config, jobs), settings(model, name)["serving"]["vpc_config"]]:
        assert len(place["Subnets"]) == 2
        assert len(place["SecurityGroupIds"]) == 1


def test_existing_vpc_is_used_and_not_created(shared_foundation, shared_model):
    assert not [r for r in shared_foundation.resources.values() if r["Type"].startswith("AWS::EC2::")]
    assert [vpc_config(job) for job in jobs_of(shared_model, "shared")] == [EXISTING] * 4
    assert settings(shared_model, "shared")["serving"]["vpc_config"] == EXISTING


def test_without_vpc_no_role_has_network_permissions(foundation, model):
    assert all("VpcConfig" not in function for function in foundation.all("Lambda::Function"))
    assert [vpc_config(job) for job in jobs_of(model, "prod")] == [None] * 4
    assert "vpc_config" not in settings(model, "prod")["serving"]
    assert '"ec2:' not in json.dumps([foundation.resources, model.resources])


def test_roles_create_interfaces_in_these_subnets_only(shared_foundation, shared_model):
    subnets = {f"arn:aws:ec2:eu-west-1:*:subnet/{subnet}" for subnet in EXISTING["Subnets"]}
    groups = {f"arn:aws:ec2:eu-west-1:*:security-group/{group}" for group in EXISTING["SecurityGroupIds"]}
    interfaces = "arn:aws:ec2:eu-west-1:555555555555:network-interface/*"
    roles = [shared_foundation.statements(f"acme-shared-{name}") for name in INSIDE]
    roles += [shared_model.statements(f"acme-shared-{name}") for name in JOBS]
    for role in roles:
        (making,) = [s for s in role if "ec2:CreateNetworkInterface" in s["Action"] and s["Effect"] == "Allow"]
        assert set(making["Resource"]) == {interfaces} | subnets | groups
    for name in ("churn-train", "churn-monitor"):
        assert '"ec2:' not in json.dumps(shared_model.statements(f"acme-shared-{name}"))


@pytest.mark.parametrize("name", INSIDE)
def test_role_in_vpc_passes_check_of_lambda(shared_foundation, name):
    role = f"arn:aws:iam::555555555555:role/acme-shared-{name}"
    principal = Principal(f"{role}/lambda", "555555555555", role)
    text = json.dumps({"Version": "2012-10-17", "Statement": shared_foundation.statements(f"acme-shared-{name}")})
    vpc = {"SubnetIds": EXISTING["Subnets"], "SecurityGroupIds": EXISTING["SecurityGroupIds"]}
    policies = Policies(identity=(parse(name, text.replace("eu-west-1:*:", "eu-west-1:555555555555:")),))

    def refused(**keys):
        context = Context.of(keys, ABSENT)
        requests = [
            Request(principal, f"ec2:{operation}", resource, context)
            for operation, resource in needs(vpc, "555555555555", "eu-west-1")
        ]
        return [r.action for r in requests if not evaluate(r, policies).allowed], len(requests)

    assert refused()[0] == []
    code = {"lambda:SourceFunctionArn": f"arn:aws:lambda:eu-west-1:555555555555:function:acme-shared-{name}"}
    assert len(refused(**code)[0]) == refused()[1]


def test_deploy_function_uses_vpc_config_of_the_settings(shared_model, model):
    code = (
        "import json, sys; from settings import Settings; import api_requests\n"
        "s = Settings.model_validate(json.load(sys.stdin))\n"
        "print(json.dumps(api_requests.model(s, 'arn:aws:sagemaker:eu-west-1:555555555555:model-package/group/3')))"
    )

    def request(given):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT / "lambda" / "deploy",
            env=os.environ | {"PYTHONPATH": str(ROOT / "lambda")},
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    assert request(settings(shared_model, "shared"))["VpcConfig"] == EXISTING
    assert "VpcConfig" not in request(settings(model, "prod"))


def test_serverless_model_in_vpc_is_an_error():
    from aws_cdk import App

    from model_factory.config import ConfigError
    from model_factory.stacks.factory import add_factory

    with pytest.raises(ConfigError) as caught:
        add_factory(App(), factory=HERE / "networked.yaml", models=HERE / "serverless")
    (mistake,) = caught.value.mistakes
    assert (mistake.file.parent.name, mistake.line) == ("price", 5)
    assert "factory.yaml has one in vault, shared" in mistake.message
