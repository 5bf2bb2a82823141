"""The permissions that a call needs: the reference's rule, and each exception."""

import pytest
from moto.core.utils import get_service_model

from local_aws.authorization import actions
from local_aws.authorization.actions import Need, needs
from local_aws.authorization.reference import action_name, resource_types
from local_aws.authorization.requests import Call, UnknownCallError, prefix_of, service_name

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"


def call(service, operation, **params):
    return Call(service, prefix_of(service), operation, params, REGION, ACCOUNT)


@pytest.fixture(autouse=True)
def _objects_exist(monkeypatch):
    monkeypatch.setattr(actions, "object_exists", lambda bucket, name: True)


def needed(service, operation, **params):
    return [(need.action, need.resource) for need in needs(call(service, operation, **params))]


EXECUTION = SAGEMAKER + "pipeline/p/execution/abc"


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"},
         [("sagemaker:CreateEndpoint", SAGEMAKER + "endpoint/e"),
          ("sagemaker:CreateEndpoint", SAGEMAKER + "endpoint-config/c")]),
        ("sagemaker", "StartPipelineExecution", {"PipelineName": "p"},
         [("sagemaker:StartPipelineExecution", SAGEMAKER + "pipeline/p")]),
        ("sagemaker", "DescribePipelineExecution", {"PipelineExecutionArn": EXECUTION},
         [("sagemaker:DescribePipelineExecution", EXECUTION)]),
        ("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "g"},
         [("sagemaker:CreateModelPackage", SAGEMAKER + "model-package/g/*")]),
        ("sagemaker", "CreateModelPackage",
         {"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"origin": SAGEMAKER + "model-package/other/1"}},
         [("sagemaker:CreateModelPackage", SAGEMAKER + "model-package/g/*")]),
        ("sagemaker", "ListModelPackages",
         {"ModelPackageGroupName": f"arn:aws:sagemaker:{REGION}:999999999999:model-package-group/g"},
         [("sagemaker:ListModelPackages", f"arn:aws:sagemaker:{REGION}:999999999999:model-package/g/*")]),
        ("sagemaker", "Search", {"Resource": "Endpoint"}, [("sagemaker:Search", "*")]),
        ("sagemaker", "AddTags",
         {"ResourceArn": SAGEMAKER + "endpoint/e", "Tags": [{"Key": "a", "Value": SAGEMAKER + "model-package/g/1"}]},
         [("sagemaker:AddTags", SAGEMAKER + "endpoint/e")]),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"},
         [("sagemaker:InvokeEndpoint", SAGEMAKER + "endpoint/e")]),
        ("lambda", "Invoke", {"FunctionName": "f"},
         [("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f")]),
        ("sqs", "SendMessageBatch", {"QueueUrl": "http://localhost:1/999999999999/q.fifo", "Entries": []},
         [("sqs:SendMessage", f"arn:aws:sqs:{REGION}:999999999999:q.fifo")]),
        ("events", "PutEvents", {"Entries": [{"Source": "s"}]},
         [("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default")]),
        ("events", "PutRule", {"Name": "r", "EventBusName": "default"},
         [("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r")]),
        ("events", "PutRule", {"Name": "r", "EventBusName": "own"},
         [("events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/own/r")]),
        ("scheduler", "GetSchedule", {"Name": "s"},
         [("scheduler:GetSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/s")]),
        ("cloudwatch", "PutMetricData", {"Namespace": "N"}, [("cloudwatch:PutMetricData", "*")]),
        ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["a", "b"]},
         [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{n}") for n in "ab"]),
        ("cloudwatch", "DescribeAlarms", {},
         [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*")]),
        ("logs", "PutLogEvents", {"logGroupName": "/g", "logStreamName": "s"},
         [("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g:log-stream:s")]),
        ("logs", "DescribeLogStreams", {"logGroupName": "/g"},
         [("logs:DescribeLogStreams", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g:log-stream:")]),
        ("ssm", "GetParameter", {"Name": "/a/b"},
         [("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b")]),
        ("cloudformation", "DescribeStacks", {"StackName": "s"},
         [("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/s/*")]),
        ("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "x"}, [("sts:AssumeRole", ROLE)]),
        ("sts", "GetCallerIdentity", {}, []),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k/x"}, [("s3:GetObject", "arn:aws:s3:::b/k/x")]),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"},
         [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, [("s3:GetObject", "arn:aws:s3:::b/k")]),
        ("s3", "GetObjectTagging", {"Bucket": "b", "Key": "k", "VersionId": "1"},
         [("s3:GetObjectVersionTagging", "arn:aws:s3:::b/k")]),
        ("s3", "DeleteObject", {"Bucket": "b", "Key": "k", "VersionId": "1"},
         [("s3:DeleteObjectVersion", "arn:aws:s3:::b/k")]),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l"}]}},
         [("s3:DeleteObject", "arn:aws:s3:::b/k"), ("s3:DeleteObject", "arn:aws:s3:::b/l")]),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k", "VersionId": "1"}, {"Key": "l"}]}},
         [("s3:DeleteObjectVersion", "arn:aws:s3:::b/k"), ("s3:DeleteObject", "arn:aws:s3:::b/l")]),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "k"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "from/a%20b?versionId=1"},
         [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:GetObjectVersion", "arn:aws:s3:::from/a b")]),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Tagging": "a=b", "ObjectLockMode": "GOVERNANCE"},
         [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:PutObjectTagging", "arn:aws:s3:::b/k"),
          ("s3:PutObjectRetention", "arn:aws:s3:::b/k")]),
        ("s3", "PutObjectTagging", {"Bucket": "b", "Key": "k", "Tagging": {"TagSet": [{"Key": "t", "Value": "v"}]}},
         [("s3:PutObjectTagging", "arn:aws:s3:::b/k")]),
        ("s3", "CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
    ],
)  # fmt: skip
def test_actions_and_resources(service, operation, params, expected):
    assert needed(service, operation, **params) == expected


def test_job_role_requires_pass_role():
    needed = needs(
        call("sagemaker", "CreateTrainingJob", TrainingJobName="t", RoleArn=ROLE, Environment={"AS_ROLE": ROLE + "2"})
    )
    assert needed == (
        Need("sagemaker:CreateTrainingJob", SAGEMAKER + "training-job/t"),
        Need("iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    )


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("sagemaker", "CreateProcessingJob", {"ProcessingJobName": "p", "RoleArn": ROLE}),
        ("sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": ROLE}),
        ("sagemaker", "CreatePipeline", {"PipelineName": "p", "RoleArn": ROLE}),
        ("scheduler", "CreateSchedule", {"Name": "s", "Target": {"Arn": "arn:aws:sqs:::q", "RoleArn": ROLE}}),
        ("lambda", "CreateFunction", {"FunctionName": "f", "Role": ROLE}),
    ],
)
def test_every_call_with_role_requires_pass_role(service, operation, params):
    assert ("iam:PassRole", ROLE) in needed(service, operation, **params)


def test_tags_on_creation_require_tag_permission():
    tags = [{"Key": "model", "Value": "fraud"}]
    assert ("sagemaker:AddTags", SAGEMAKER + "model/m") in needed("sagemaker", "CreateModel", ModelName="m", Tags=tags)
    assert len(needed("sagemaker", "CreateModel", ModelName="m")) == 1


def test_operation_without_action_names_table_to_extend():
    with pytest.raises(UnknownCallError, match=r"s3\.WriteGetObjectResponse.*actions\.py"):
        needed("s3", "WriteGetObjectResponse", RequestRoute="r", RequestToken="t")


def test_action_name_exceptions_exist_in_reference():
    """The tables hold only names that exist in the reference and differ from it."""
    for operation, name in actions.S3_ACTIONS.items():
        assert action_name("s3", name) == f"s3:{name}"
        assert action_name("s3", operation) is None
        assert operation in get_service_model("s3").operation_names
    for (service, operation), name in actions.OTHER_ACTIONS.items():
        assert action_name(prefix_of(service), name)
        assert action_name(prefix_of(service), operation) is None
    for name in actions.S3_ALSO.values():
        assert action_name("s3", name)
    for prefix, name in actions.TAGGING_ACTIONS.items():
        assert action_name(prefix, name)


@pytest.mark.parametrize("service", ["sqs", "sns", "events", "scheduler", "sts", "codebuild", "codepipeline"])
def test_every_operation_of_used_services_has_action(service):
    prefix = prefix_of(service)
    names = get_service_model(service).operation_names
    assert [n for n in names if not action_name(prefix, n) and not action_name(prefix, n.removesuffix("Batch"))] == []


def test_reference_lists_resource_types():
    (queue,) = resource_types("sqs:SendMessage")
    assert queue.required
    assert queue.variables == ("QueueName",)
    assert queue.describes("arn:aws:sqs:eu-west-1:123456789012:q.fifo")
    assert not queue.describes("arn:aws:sns:eu-west-1:123456789012:t")


def test_service_names_match_boto3():
    assert service_name("sagemakerruntime") == "sagemaker-runtime"
    assert service_name("awslambda") == "lambda"
    assert prefix_of("sagemaker-metrics") == "sagemaker"
    assert prefix_of("cloudwatch") == "cloudwatch"
