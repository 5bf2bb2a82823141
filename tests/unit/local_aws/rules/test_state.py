"""What rules ask of an account's state is found in the records of the services."""

import json

import pytest
from botocore.exceptions import ClientError

from local_aws.server import LocalAws

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
QUEUE, TOPIC = f"http://localhost/{ACCOUNT}/q.fifo", f"arn:aws:sns:{REGION}:{ACCOUNT}:t"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as local:
        client = local.session(region=REGION).client
        client("sqs").create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})
        client("sns").create_topic(Name="t")
        client("s3").create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        client("s3").create_bucket(Bucket="lists", ObjectOwnership="ObjectWriter")
        client("logs").create_log_group(logGroupName="g")
        client("logs").create_log_stream(logGroupName="g", logStreamName="s")
        client("cloudwatch").put_metric_alarm(
            AlarmName="a",
            Namespace="n",
            MetricName="m",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            Statistic="Sum",
            ComparisonOperator="GreaterThanThreshold",
        )
        trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
        document = {"Version": "2012-10-17"}
        iam = client("iam")
        iam.create_role(
            RoleName="r",
            AssumeRolePolicyDocument=json.dumps(document | {"Statement": [trust]}),
            MaxSessionDuration=7200,
        )
        policy = json.dumps(document | {"Statement": [allowed]})
        iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy)
        client("sagemaker").create_model_package_group(ModelPackageGroupName="group")
        yield local


@pytest.mark.parametrize(
    ("kind", "name", "record"),
    [
        ("queue", QUEUE, {"FifoQueue": True, "ContentBasedDeduplication": False}),
        ("topic", TOPIC, {"FifoTopic": False}),
        ("bucket", "locked", {"ObjectLock": True, "Ownership": "BucketOwnerEnforced"}),
        ("bucket", "lists", {"ObjectLock": False, "Ownership": "ObjectWriter"}),
        ("log-group", "g", {}),
        ("log-stream", "g:s", {}),
        ("alarm", "a", {}),
        ("role", ROLE, {"MaxSessionDuration": 7200}),
        ("model-package-group", "group", {"Packages": 0}),
    ],
)
def test_existing_resource_is_found_and_other_is_not(local, kind, name, record):
    found = local.rules.state.find(kind, ACCOUNT, REGION, name)
    assert found is not None
    assert record.items() <= found.items()
    assert local.rules.state.find(kind, ACCOUNT, REGION, name.replace(name[-1], "z")) is None


def test_role_session_assumes_roles_for_one_hour(local):
    keys = local.session().client("sts").assume_role(RoleArn=ROLE, RoleSessionName="first", DurationSeconds=7200)
    names = {
        "aws_access_key_id": "AccessKeyId",
        "aws_secret_access_key": "SecretAccessKey",
        "aws_session_token": "SessionToken",
    }
    chained = local.session().client("sts", **{name: keys["Credentials"][key] for name, key in names.items()})
    chained.assume_role(RoleArn=ROLE, RoleSessionName="second", DurationSeconds=3600)
    with pytest.raises(ClientError, match="exceeds the 1 hour session limit for roles assumed by role chaining"):
        chained.assume_role(RoleArn=ROLE, RoleSessionName="second", DurationSeconds=7200)


def test_unknown_kind_of_record_is_mistake_of_rule(local):
    with pytest.raises(LookupError, match="no records of the kind 'unknown'"):
        local.rules.state.find("unknown", ACCOUNT, REGION, "n")
