"""A model with `serving.mode: async`: its role, its settings, its alarms and its dashboard; the expiration of its requests."""

import json
import shutil
from pathlib import Path

import pytest
from aws_cdk import App, Aws, Duration, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from model_factory.delivery.role import DeliveryRole
from model_factory.environment.data_lake import DataLake
from model_factory.model.alarms import ModelAlarms
from model_factory.model.dashboard import ModelDashboard
from model_factory.model.endpoint_deployer import EndpointDeployer
from model_factory.model.props import ModelProps
from model_factory.model.settings import ModelSettings

MODEL_PY = Path(__file__).parent / "models" / "churn" / "model.py"
MODEL_YAML = """
name: churn
problem: binary_classification
data: {label: left}
gate: {metric: auc, minimum: 0.8}
serving: {mode: async, capture_percent: 0, async: {maximum: 4, concurrency: 2}}
"""
IMAGE = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/churn:1"


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Template:
    """A stack with what differs for an asynchronous model."""
    folder = tmp_path_factory.mktemp("models") / "churn"
    folder.mkdir()
    (folder / "model.yaml").write_text(MODEL_YAML)
    shutil.copy(MODEL_PY, folder)
    stack = Stack(App(), "Own", env=Environment(account="111111111111", region="eu-west-1"))
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "acme-data")
    lake = DataLake(stack, "Lake")
    props = ModelProps.from_folder(
        stack,
        folder,
        image=IMAGE,
        data_bucket=bucket,
        artifacts_bucket=bucket,
        deploy_queue=sqs.Queue(stack, "Queue", fifo=True),
        key=lake.data.encryption_key,
    )
    endpoint = EndpointDeployer(stack, "Endpoint", props)
    endpoint.grant_invoke(iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal()))
    ModelSettings(stack, "Settings", props, endpoint_role=endpoint.role)
    ModelAlarms(stack, "Alarms", props)
    ModelDashboard(stack, "Dashboard", props)
    DeliveryRole(stack, "Delivery", names=props.environment_names, tooling=props.environment_names, queues=True)
    lake.expire(["churn"], queued={"churn": Duration.days(9)})
    return Template.from_stack(stack)


def text(template: Template, kind: str) -> str:
    return json.dumps(template.find_resources(kind))


def allowed_by(template: Template, description: str) -> list[tuple[str, str]]:
    """Actions, each with its resources as JSON, of the role with this description."""
    (role,) = template.find_resources("AWS::IAM::Role", {"Properties": {"Description": description}}).values()
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return [(str(each["Action"]), json.dumps(each["Resource"])) for each in statements]


def test_delivery_sends_a_record_and_reads_the_answer(template):
    allowed = dict(allowed_by(template, "Tasks of the delivery pipeline in main between deployments"))
    assert ":endpoint/own-main-*" in allowed["sagemaker:InvokeEndpointAsync"]
    assert "/*/async/input/smoke-*" in allowed["s3:PutObject"]
    assert "/*/async/*" in allowed["s3:GetObject"]


def test_endpoint_role_reads_requests_and_writes_answers(template):
    allowed = allowed_by(template, "Endpoint of churn")
    for action, part in (("s3:GetObject", "input"), ("s3:PutObject", "output"), ("s3:PutObject", "failure")):
        assert any(action == each and f"acme-data/churn/async/{part}/*" in resource for each, resource in allowed)
    assert not any("captured" in resource for _, resource in allowed)


def test_grant_invoke_is_for_asynchronous_requests(template):
    policies = text(template, "AWS::IAM::Policy")
    assert "sagemaker:InvokeEndpointAsync" in policies
    assert '"sagemaker:InvokeEndpoint"' not in policies


def test_settings_say_where_answers_are(template):
    (parameter,) = template.find_resources("AWS::SSM::Parameter").values()
    value = json.dumps(parameter["Properties"]["Value"])
    assert '\\"minimum\\":0,\\"maximum\\":4,\\"backlog_per_instance\\":5,\\"concurrency\\":2' in value.replace(
        "\\\\", "\\"
    )
    for part in ("input", "output", "failure"):
        assert f"s3://acme-data/churn/async/{part}/" in value


def test_expired_requests_raise_alarm(template):
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"MetricName": "ExpiredRequests", "Threshold": 0, "AlarmName": Match.string_like_regexp("requests-expired$")},
    )


def test_dashboard_has_metrics_that_async_endpoints_publish(template):
    dashboard = text(template, "AWS::CloudWatch::Dashboard")
    assert "ApproximateBacklogSize" in dashboard
    assert "InvocationsProcessed" in dashboard
    assert "OverheadLatency" not in dashboard


def test_requests_and_answers_expire(template):
    rule = {"Prefix": "churn/async/", "ExpirationInDays": 9, "Status": "Enabled"}
    template.has_resource_properties(
        "AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": Match.array_with([Match.object_like(rule)])}}
    )
