"""Permissions that Lambda requires of a function's role, CloudWatch Logs of a key, and Auto Scaling of its caller."""

import pytest

from .conftest import ACCOUNT, REGION, document, handler_zip

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
INTERFACES = [f"{EC2}:network-interface/*"]
CREATE = {
    "Action": "ec2:CreateNetworkInterface",
    "Resource": [*INTERFACES, f"{EC2}:subnet/*", f"{EC2}:security-group/*"],
}
LOOK = {"Action": ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], "Resource": "*"}
ASSIGN = {"Action": ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"], "Resource": INTERFACES}
DELETE = {"Action": "ec2:DeleteNetworkInterface", "Resource": f"{EC2}:*/*"}


@pytest.mark.parametrize(
    ("statements", "refused"),
    [
        ([CREATE, LOOK, ASSIGN, DELETE], None),
        ([CREATE | {"Resource": INTERFACES}, LOOK, ASSIGN, DELETE], "CreateNetworkInterface"),
        ([CREATE, LOOK | {"Resource": INTERFACES}, ASSIGN, DELETE], "DescribeNetworkInterfaces"),
        ([CREATE, LOOK, ASSIGN, DELETE | {"Resource": INTERFACES}], "DeleteNetworkInterface"),
    ],
)
def test_function_in_vpc_requires_role_to_manage_interfaces(client, role, statements, refused):
    functions = client("lambda")
    request = {"FunctionName": "placed", "Runtime": "python3.12", "Handler": "handler.handle"}
    request |= {"Role": role(*statements, service="lambda"), "Code": {"ZipFile": handler_zip()}, "VpcConfig": VPC}
    if refused is None:
        functions.create_function(**request)
        functions.delete_function(FunctionName="placed")
        return
    with pytest.raises(functions.exceptions.InvalidParameterValueException) as caught:
        functions.create_function(**request)
    message = f"The provided execution role does not have permissions to call {refused} on EC2"
    assert caught.value.response["Error"]["Message"] == message


def test_mapping_requires_role_to_read_queue(client, role, queue):
    functions, (source, _) = client("lambda"), queue("source")
    read = {"Action": ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], "Resource": source}
    request = {"FunctionName": "reader", "Runtime": "python3.12", "Handler": "handler.handle"}
    reader = role(read, service="lambda", name="reader")
    functions.create_function(**request, Role=reader, Code={"ZipFile": handler_zip()})
    with pytest.raises(functions.exceptions.InvalidParameterValueException) as caught:
        functions.create_event_source_mapping(FunctionName="reader", EventSourceArn=source)
    message = "The provided execution role does not have permissions to call DeleteMessage on SQS"
    assert caught.value.response["Error"]["Message"] == message
    functions.delete_function(FunctionName="reader")


@pytest.mark.parametrize("group", ["ours", "theirs"])
def test_log_group_requires_key_of_its_encryption_context(client, group):
    logs, arn = client("logs"), f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:ours"
    use = {"Principal": {"Service": f"logs.{REGION}.amazonaws.com"}, "Resource": "*"}
    use["Action"] = [f"kms:{a}" for a in ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey")]
    use["Condition"] = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}}
    key = client("kms").create_key(Policy=document(use))["KeyMetadata"]["Arn"]
    if group == "ours":
        logs.create_log_group(logGroupName=group, kmsKeyId=key)
        return
    with pytest.raises(logs.exceptions.InvalidParameterException, match="is not allowed to be used with LogGroup"):
        logs.create_log_group(logGroupName=group, kmsKeyId=key)


TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/prices/variant/live",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
SCALE = {"Action": ["application-autoscaling:RegisterScalableTarget", "application-autoscaling:PutScalingPolicy"]}
ENDPOINT = ["DescribeEndpoint", "DescribeEndpointConfig", "UpdateEndpointWeightsAndCapacities"]
SERVING = {"Action": [f"sagemaker:{action}" for action in ENDPOINT], "Resource": "*"}
ALARMS = {"Action": [f"cloudwatch:{action}" for action in ("DescribeAlarms", "PutMetricAlarm", "DeleteAlarms")]}
EVERY_ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"
LINK = {"Action": "iam:CreateServiceLinkedRole", "Resource": "*"}


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([ALARMS | {"Resource": EVERY_ALARM}, LINK], "sagemaker:DescribeEndpoint"),
        ([SERVING, ALARMS | {"Resource": EVERY_ALARM}], "iam:CreateServiceLinkedRole"),
        ([SERVING, LINK], "cloudwatch:DescribeAlarms"),
        ([SERVING, ALARMS | {"Resource": f"{EVERY_ALARM[:-1]}TargetTracking-*"}, LINK], "cloudwatch:DescribeAlarms"),
        ([SERVING, ALARMS | {"Resource": EVERY_ALARM}, LINK], None),
    ],
)
def test_scaling_requires_permissions_of_caller(local, role, statements, missing, monkeypatch):
    endpoint = {"EndpointStatus": "InService", "ProductionVariants": [{"VariantName": "live"}]}
    monkeypatch.setitem(local.rules.state._finders, "endpoint", lambda *_: endpoint)
    caller = role(SCALE | {"Resource": "*"}, *statements, service="lambda")
    scaling = local.accounts.role_client("application-autoscaling", caller, REGION)

    def scale():
        scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
        scaling.put_scaling_policy(
            **TARGET,
            PolicyName="requests",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 100.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                },
            },
        )

    if missing is None:
        scale()
        return
    with pytest.raises(scaling.exceptions.ValidationException, match=f"not authorized to perform: {missing} on"):
        scale()
