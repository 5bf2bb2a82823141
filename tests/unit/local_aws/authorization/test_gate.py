"""Authorization in front of a real moto server, through boto3: allowed calls pass, refused ones fail as on AWS."""

import io
import logging
import time
import urllib.error
import urllib.request

import pytest

from local_aws.authorization import AccessDeniedError, DecisionKey
from local_aws.authorization.resources import POLICIES

from .conftest import ACCOUNT, ADMIN, OTHER, REGION, allow, deny, document, lambda_session, refusal


def test_allowed_call_is_counted_with_its_statement(local, bucket):
    credentials = lambda_session(local, allow("s3:GetObject", "arn:aws:s3:::records/a/*", Sid="Read"))
    answer = local.client("s3", credentials).get_object(Bucket="records", Key="a/1.json")
    assert answer["Body"].read() == b"{}"
    role = f"arn:aws:iam::{ACCOUNT}:role/worker"
    decided = DecisionKey(role, "s3:GetObject", "arn:aws:s3:::records/a/1.json", allowed=True)
    assert local.authorization.decisions == {decided: 1}
    (used,) = local.authorization.statements_used
    assert (used.principal, used.policy, used.sid, used.action) == (role, "worker/inline", "Read", "s3:GetObject")


def test_refused_call_has_message_of_aws_and_no_effect(local, bucket):
    s3 = local.client("s3", lambda_session(local, allow("s3:GetObject", "*")))
    assert refusal(s3.put_object, Bucket="records", Key="a/2.json", Body=b"{}") == (
        "AccessDenied",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/run is not authorized to perform: s3:PutObject on resource: "
        '"arn:aws:s3:::records/a/2.json" because no identity-based policy allows the s3:PutObject action',
    )
    assert bucket.list_objects_v2(Bucket="records")["KeyCount"] == 1
    assert sum(local.authorization.decisions.values()) == 1


@pytest.mark.parametrize(
    ("service", "call", "params", "code", "what"),
    [
        ("sagemaker", "start_pipeline_execution", {"PipelineName": "p"}, "AccessDeniedException",
         f"sagemaker:StartPipelineExecution on resource: arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/p because"),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"}, "AccessDeniedException",
         f"sagemaker:InvokeEndpoint on resource: arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/e because"),
        ("sns", "publish", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "Message": "m"}, "AuthorizationError",
         f"SNS:Publish on resource: arn:aws:sns:{REGION}:{ACCOUNT}:t because"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException",
         f"lambda:InvokeFunction on resource: arn:aws:lambda:{REGION}:{ACCOUNT}:function:f because"),
        ("cloudwatch", "put_metric_data", {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1}]},
         "AccessDenied", "cloudwatch:PutMetricData on resource: * because"),
        ("iam", "get_role", {"RoleName": "worker"}, "AccessDenied",
         f"iam:GetRole on resource: arn:aws:iam::{ACCOUNT}:role/worker because"),
        ("logs", "create_log_stream", {"logGroupName": "g", "logStreamName": "s"}, "AccessDeniedException",
         f"logs:CreateLogStream on resource: arn:aws:logs:{REGION}:{ACCOUNT}:log-group:g:log-stream:s because"),
    ],
)  # fmt: skip
def test_refusal_has_format_of_each_protocol(local, service, call, params, code, what):
    client = local.client(service, lambda_session(local, allow("s3:GetObject", "*")))
    found_code, message = refusal(getattr(client, call), **params)
    assert found_code in (code, code.replace("AccessDenied", "AccessDeniedException"))
    assert what.lower() in message.lower()


def test_request_body_reaches_service_after_authorization(local):
    statements = [allow(["sqs:SendMessage", "sns:Publish", "cloudwatch:PutMetricData"], "*")]
    queue = local.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    topic = local.client("sns").create_topic(Name="t")["TopicArn"]
    credentials = lambda_session(local, *statements)
    local.client("sqs", credentials).send_message(QueueUrl=queue, MessageBody="hello")
    assert local.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "hello"
    assert local.client("sns", credentials).publish(TopicArn=topic, Message="hello")["MessageId"]
    many = [{"MetricName": f"metric-{i}-{'x' * 60}", "Value": i} for i in range(500)]  # boto3 gzips this
    local.client("cloudwatch", credentials).put_metric_data(Namespace="N", MetricData=many)
    assert len(local.client("cloudwatch").list_metrics(Namespace="N")["Metrics"]) == 500


def test_upload_body_is_streamed(local, bucket):
    s3 = local.client("s3", lambda_session(local, allow("s3:PutObject", "arn:aws:s3:::records/*")))
    data = bytes(range(256)) * 40_000
    s3.upload_fileobj(io.BytesIO(data), "records", "big")
    assert bucket.get_object(Bucket="records", Key="big")["Body"].read() == data


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_presigned_url_is_authorized_as_its_signer(local, bucket, signature):
    def status(credentials):
        url = local.client("s3", credentials, signature_version=signature).generate_presigned_url(
            "get_object", Params={"Bucket": "records", "Key": "a/1.json"}
        )
        try:
            return urllib.request.urlopen(url).status
        except urllib.error.HTTPError as error:
            return error.code

    assert status(lambda_session(local, allow("s3:GetObject", "*"))) == 200
    assert status(local.session(local.role("idle"))) == 403


def test_bucket_policies_deny_and_grant(local, bucket):
    credentials = lambda_session(local, allow("s3:GetObject", "*"))
    s3 = local.client("s3", credentials)
    only_tls = deny("s3:*", "*", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    bucket.put_bucket_policy(Bucket="records", Policy=document(only_tls))
    assert s3.get_object(Bucket="records", Key="a/1.json")
    bucket.put_bucket_policy(Bucket="records", Policy=document(deny("s3:GetObject", "*", Principal="*")))
    _, message = refusal(s3.get_object, Bucket="records", Key="a/1.json")
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_boundary_managed_and_session_policies_are_read(local, bucket):
    iam = local.client("iam")
    read = allow("s3:GetObject", "*")
    managed = iam.create_policy(PolicyName="m", PolicyDocument=document(allow("s3:*", "*")))["Policy"]["Arn"]
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(read))["Policy"]["Arn"]
    role = local.role("worker", boundary=boundary)
    iam.attach_role_policy(RoleName="worker", PolicyArn=managed)
    s3 = local.client("s3", local.session(role))
    assert s3.get_object(Bucket="records", Key="a/1.json")
    _, message = refusal(s3.delete_object, Bucket="records", Key="a/1.json")
    assert message.endswith("because no permissions boundary allows the s3:DeleteObject action")
    narrowed = local.client("s3", local.session(role, document(allow("s3:GetObject", "arn:aws:s3:::records/b/*"))))
    _, message = refusal(narrowed.get_object, Bucket="records", Key="a/1.json")
    assert message.endswith("because no session policy allows the s3:GetObject action")


def test_conditions_see_parameters_and_headers(local, bucket):
    condition = {"StringLike": {"s3:prefix": "a/*"}}
    encrypted = {"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
    s3 = local.client(
        "s3",
        lambda_session(
            local, allow("s3:ListBucket", "*", Condition=condition), allow("s3:PutObject", "*", Condition=encrypted)
        ),
    )
    assert s3.list_objects_v2(Bucket="records", Prefix="a/")["KeyCount"] == 1
    refusal(s3.list_objects_v2, Bucket="records")
    s3.put_object(Bucket="records", Key="k", Body=b"", ServerSideEncryption="AES256")
    refusal(s3.put_object, Bucket="records", Key="k", Body=b"")


def test_missing_object_is_404_only_with_list_permission(local, bucket):
    role = local.role("worker", allow("s3:GetObject", "*"))
    s3 = local.client("s3", local.session(role))
    code, message = refusal(s3.get_object, Bucket="records", Key="none")
    assert code == "AccessDenied"
    assert 's3:ListBucket on resource: "arn:aws:s3:::records"' in message
    local.client("iam").put_role_policy(
        RoleName="worker", PolicyName="list", PolicyDocument=document(allow("s3:ListBucket", "arn:aws:s3:::records"))
    )
    assert refusal(s3.get_object, Bucket="records", Key="none")[0] == "NoSuchKey"


def test_unknown_condition_key_is_error(local, bucket, caplog):
    condition = {"Bool": {"aws:Moonlight": "true"}}
    s3 = local.client("s3", lambda_session(local, allow("s3:GetObject", "*", Condition=condition)))
    with caplog.at_level(logging.CRITICAL):
        code, message = refusal(s3.get_object, Bucket="records", Key="a/1.json")
    assert code == "AuthorizationUnknown"
    assert "policy worker/inline, statement #0: condition key aws:Moonlight is not known" in message


# Parts that act as a role, exemptions, cost


def test_service_acting_as_role_is_authorized(local, bucket):
    role = local.role("jobs", allow("s3:GetObject", "arn:aws:s3:::records/a/*"))
    local.authorization.check(role, "s3:GetObject", "arn:aws:s3:::records/a/1.json")
    with pytest.raises(AccessDeniedError, match=r"assumed-role/jobs/service is not authorized .*records/b"):
        local.authorization.check(role, "s3:GetObject", "arn:aws:s3:::records/b")
    with pytest.raises(LookupError, match="role/none does not exist"):
        local.authorization.check(f"arn:aws:iam::{ACCOUNT}:role/none", "s3:GetObject", "*")


def test_additional_resource_policies_are_evaluated(local, monkeypatch):
    group = f"arn:aws:sagemaker:{REGION}:{OTHER}:model-package/g/1"
    shared = document(allow("sagemaker:DescribeModelPackage", group, Principal={"AWS": ACCOUNT}))
    role = local.role("worker", allow("sagemaker:DescribeModelPackage", group))
    with pytest.raises(AccessDeniedError, match="no resource-based policy"):
        local.authorization.check(role, "sagemaker:DescribeModelPackage", group)
    monkeypatch.setitem(POLICIES, "sagemaker", lambda arn: [shared])
    local.authorization.check(role, "sagemaker:DescribeModelPackage", group)


def test_administrators_and_cdk_roles_are_exempt(local, bucket):
    trusted = local.client("s3", local.session(local.role("cdk-hnb659fds-deploy-role")))
    assert trusted.list_objects_v2(Bucket="records")["KeyCount"] == 1
    assert local.client("s3", ADMIN).list_objects_v2(Bucket="records")["KeyCount"] == 1
    assert not local.authorization.decisions


def test_disabled_authorization_allows_everything(local, bucket, monkeypatch):
    credentials = local.session(local.role("idle"))
    monkeypatch.setattr(local.authorization, "enabled", False)
    assert local.client("s3", credentials).list_objects_v2(Bucket="records")["KeyCount"] == 1


def test_decision_takes_less_than_a_millisecond(local, bucket):
    statements = [allow("s3:GetObject", f"arn:aws:s3:::records/{i}/*", Sid=f"S{i}") for i in range(30)]
    role = local.role("worker", *statements, allow("s3:GetObject", "arn:aws:s3:::records/a/*"))
    params = {"Bucket": "records", "Key": "a/1.json"}

    def check():
        started = time.perf_counter()
        local.authorization.check_call(role, "s3", "GetObject", params, REGION)
        return time.perf_counter() - started

    assert min(check() for _ in range(50)) < 0.001
