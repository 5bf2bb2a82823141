"""Authorization of services' own calls: deliveries, assumed roles, logs, images, grants."""

import json
import time
import urllib.error
import urllib.request

import pytest

from .conftest import ACCOUNT, REGION, document, handler_zip, trust


def processing(role_arn, **more):
    """A job that SageMaker accepts or refuses before anything runs."""
    return {
        "ProcessingJobName": f"job-{time.monotonic_ns()}",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1, **more}
        },
        "AppSpecification": {
            "ImageUri": f"141502667606.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
            "ContainerEntrypoint": ["python3", "-c", "print('it ran')"],
        },
        "RoleArn": role_arn,
    }


PULL = {
    "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "Resource": f"arn:aws:ecr:{REGION}:141502667606:repository/sagemaker-scikit-learn",
}
LOGIN = {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}
LOGS = {"Action": "logs:*", "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/*"}


def test_trust_policy_needs_no_version(client):
    """The roles of CDK's bootstrap template have none, and a second bootstrap of an account updates them."""
    iam = client("iam")
    content = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    iam.create_role(RoleName="trusted", AssumeRolePolicyDocument=json.dumps(content))
    iam.update_assume_role_policy(RoleName="trusted", PolicyDocument=json.dumps(content))
    assert iam.get_role(RoleName="trusted")["Role"]["AssumeRolePolicyDocument"] == content
    for wrong in ({"Version": "2020-01-01", **content}, {"Statement": []}):
        with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
            iam.update_assume_role_policy(RoleName="trusted", PolicyDocument=json.dumps(wrong))
    iam.delete_role(RoleName="trusted")


def ended(sagemaker, request):
    sagemaker.create_processing_job(**request)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = sagemaker.describe_processing_job(ProcessingJobName=request["ProcessingJobName"])
        if found["ProcessingJobStatus"] != "InProgress":
            return found
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def test_job_with_untrusting_role_is_not_created(client, role):
    sagemaker = client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match=r"allows principal 'sagemaker\.amazonaws\.com'"):
        sagemaker.create_processing_job(**processing(role(LOGIN, service="lambda")))
    with pytest.raises(sagemaker.exceptions.ClientError, match="ensure that the role exists"):
        sagemaker.create_processing_job(**processing(f"arn:aws:iam::{ACCOUNT}:role/nobody"))


def test_job_pulls_image_and_writes_log_as_role(client, role):
    found = ended(client("sagemaker"), processing(role(LOGIN, PULL, LOGS)))
    assert found["ProcessingJobStatus"] == "Completed", found["FailureReason"]
    events = client("logs").filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs")["events"]
    assert "it ran" in [event["message"] for event in events]


def test_job_without_pull_permission_fails(client, role):
    found = ended(client("sagemaker"), processing(role(LOGIN, LOGS)))
    assert found["ProcessingJobStatus"] == "Failed"
    assert "is not authorized to perform: ecr:BatchCheckLayerAvailability on resource: " in found["FailureReason"]


def test_job_in_vpc_without_interface_permission_fails(client, role):
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    place = {"NetworkConfig": {"VpcConfig": {"Subnets": [subnet], "SecurityGroupIds": ["sg-1"]}}}
    kinds = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    look = {"Action": [f"ec2:Describe{kind}" for kind in kinds], "Resource": "*"}
    elsewhere = {"Action": "ec2:CreateNetworkInterface", "Resource": f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/other"}
    found = ended(client("sagemaker"), processing(role(LOGIN, PULL, LOGS, look, elsewhere)) | place)
    assert found["ProcessingJobStatus"] == "Failed"
    assert "is not authorized to perform: ec2:CreateNetworkInterface on resource: " in found["FailureReason"]


def test_encrypted_volume_requires_create_grant(client, local, role):
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    grant = {"Action": "kms:CreateGrant", "Resource": key, "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
    create = {"Action": ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"], "Resource": "*"}
    hand_over = {"Action": "iam:PassRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/*"}
    sagemaker = local.accounts.role_client("sagemaker", role(create, hand_over, name="starter"), REGION)
    with pytest.raises(sagemaker.exceptions.ClientError, match="not authorized to perform: kms:CreateGrant"):
        sagemaker.create_processing_job(**processing(role(LOGIN, PULL, LOGS), VolumeKmsKeyId=key))
    worker = role(LOGIN, PULL, LOGS, grant, name="granter")
    assert ended(sagemaker, processing(worker, VolumeKmsKeyId=key))["ProcessingJobStatus"] == "Completed"


def test_rule_sends_refused_event_to_dead_letter_queue(client, queue):
    events, rule = client("events"), f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders"
    source = {"Condition": {"ArnLike": {"aws:SourceArn": rule}}}
    opened, read = queue("opened", "events.amazonaws.com", **source)
    closed, read_closed = queue("closed")
    dead_letters, read_dead_letters = queue("dead_letters", "events.amazonaws.com", **source)
    events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))
    targets = [
        {"Id": "opened", "Arn": opened},
        {"Id": "closed", "Arn": closed, "DeadLetterConfig": {"Arn": dead_letters}},
    ]
    events.put_targets(Rule="orders", Targets=targets)
    events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"number": 7})}])
    assert json.loads(read()[0])["detail"] == {"number": 7}
    assert read_closed() == []
    assert json.loads(read_dead_letters()[0])["detail"] == {"number": 7}
    events.remove_targets(Rule="orders", Ids=["opened", "closed"])
    events.delete_rule(Name="orders")


def test_topic_delivers_only_with_queue_policy(client, queue):
    sns = client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    opened, read = queue("opened", "sns.amazonaws.com", Condition={"ArnEquals": {"aws:SourceArn": topic}})
    closed, read_closed = queue("closed", "sns.amazonaws.com", Condition={"ArnEquals": {"aws:SourceArn": "arn:other"}})
    for queue_arn in (opened, closed):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    sns.publish(TopicArn=topic, Message="hello")
    assert json.loads(read()[0])["Message"] == "hello"
    assert read_closed() == []


def function(client, role_arn, name):
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role_arn,
        Handler="handler.handle",
        Code={"ZipFile": handler_zip()},
    )
    answer = client("lambda").invoke(FunctionName=name)
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_function_with_untrusting_role_fails(client, role):
    error, answer = function(client, role(LOGIN, service="sagemaker"), "untrusted")
    assert error
    assert "cannot be assumed by Lambda" in answer["errorMessage"]


def test_function_log_requires_role_permission(client, role):
    logs = client("logs")
    assert function(client, role(LOGIN, service="lambda"), "silent") == (None, "done")
    assert not logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/silent")["logGroups"]
    streams = {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    assert function(client, role(streams, service="lambda", name="loud"), "loud") == (None, "done")
    assert "it ran" in [e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/loud")["events"]]


def test_schedule_sends_refused_payload_to_dead_letter_queue(client, local, role, queue):
    target, read = queue("target")
    dead_letters, read_dead_letters = queue("dead_letters")
    sends = role({"Action": "sqs:SendMessage", "Resource": dead_letters}, service="scheduler")
    client("scheduler").create_schedule(
        Name="nightly",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": sends, "Input": "now", "DeadLetterConfig": {"Arn": dead_letters}},
    )
    body = json.dumps({"schedule": "nightly", "account": ACCOUNT, "region": REGION}).encode()
    tick = urllib.request.Request(f"{local.endpoint_url}/_local/tick", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(tick, timeout=120)
    assert f"not authorized to perform: sqs:SendMessage on resource: {target}" in caught.value.read().decode()
    assert read_dead_letters() == ["now"]
    both = document({"Action": "sqs:SendMessage", "Resource": [target, dead_letters]})
    client("iam").put_role_policy(RoleName="worker", PolicyName="work", PolicyDocument=both)
    urllib.request.urlopen(tick, timeout=120).close()
    assert read() == ["now"]


def test_stack_update_changes_role_permissions(client, local):
    cloudformation = client("cloudformation")

    def template(action, bucket):
        policy = json.loads(document({"Action": action, "Resource": f"arn:aws:s3:::{bucket}"}))
        role = {"RoleName": "of-a-stack", "AssumeRolePolicyDocument": json.loads(trust("lambda"))}
        properties = role | {"Policies": [{"PolicyName": "work", "PolicyDocument": policy}]}
        return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}})

    def refusal():
        s3 = local.accounts.role_client("s3", f"arn:aws:iam::{ACCOUNT}:role/of-a-stack", REGION)
        with pytest.raises(s3.exceptions.ClientError) as caught:
            s3.list_objects_v2(Bucket="things")
        return caught.value.response["Error"]["Code"]

    cloudformation.create_stack(StackName="roles", TemplateBody=template("s3:GetObject", "things/*"))
    assert refusal() == "AccessDenied"
    cloudformation.update_stack(StackName="roles", TemplateBody=template("s3:ListBucket", "things"))
    assert refusal() == "NoSuchBucket"
    cloudformation.delete_stack(StackName="roles")


def test_authorization_control_counts_calls_by_principal(client, local, role):
    local.authorization.reset()
    worker = role({"Action": "s3:ListAllMyBuckets", "Resource": "*"})
    s3 = local.accounts.role_client("s3", worker, REGION)
    s3.list_buckets()
    with pytest.raises(s3.exceptions.ClientError, match="s3:ListBucket"):
        s3.list_objects_v2(Bucket="things")
    with urllib.request.urlopen(f"{local.endpoint_url}/_local/authorization", timeout=120) as answer:
        report = json.loads(answer.read())
    assert (report["calls"], report["calls_by_principal"]) == (2, {worker: 2})
    assert report["refused"] == [f"{worker} s3:ListBucket arn:aws:s3:::things"]
