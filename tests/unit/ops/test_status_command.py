"""`model-factory status`: what it reads from AWS, and how many calls that takes."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import boto3
import botocore.client
import pytest

from model_factory.functions.shared import chain
from ops.operations.facts import newest_deployment

NAME = "acme-prod-churn"
RECORDS = "acme-prod-records-123456789012-eu-west-1"


def client(service):
    return boto3.client(service, region_name="eu-west-1")


def put_settings(model="churn"):
    name = f"acme-prod-{model}"
    settings = {
        "model": model,
        "endpoint": name,
        "model_package_group": name,
        "training_pipeline": f"{name}-train",
        "retrain": {"cooldown_seconds": 3600.0},
    }
    client("ssm").put_parameter(Name=f"/acme/prod/models/{model}", Value=json.dumps(settings), Type="String")


@pytest.fixture
def deployed(aws):
    """The stacks of prod as far as `status` reads them: the model churn with one live version."""
    put_settings()
    client("s3").create_bucket(Bucket=RECORDS, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    sagemaker, role = client("sagemaker"), "arn:aws:iam::123456789012:role/endpoint"
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=NAME,
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"metric": "auc", "metric_value": "0.81234"},
    )["ModelPackageArn"]
    config = f"{NAME}-v1-0a1b2c3d"
    sagemaker.create_model(ModelName=config, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": package})
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": config,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=config)


@pytest.fixture
def calls(monkeypatch):
    """Number of calls by operation."""
    counted = Counter()
    call = botocore.client.BaseClient._make_api_call

    def count(self, operation, parameters):
        counted[operation] += 1
        return call(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", count)
    return counted


def status(run, project, *arguments):
    code, out, err = run("status", "--env", "prod", "--json", *arguments, "--project", str(project))
    assert code == 0, err
    return {each["model"]: each for each in json.loads(out)}


def test_model_without_stack_is_not_deployed(run, project, aws):
    shown = status(run, project)["churn"]
    assert (shown["state"], shown["endpoint"], shown["version"], shown["alarms"]) == ("not deployed", None, None, [])
    assert "not deployed" in run("status", "--env", "prod", "--project", str(project))[1]


def test_live_version_is_shown_with_its_own_alarms(run, project, deployed):
    put_settings("churn-eu")
    for model in ("churn", "churn-eu"):
        name = f"acme-prod-{model}-drift"
        client("cloudwatch").put_metric_alarm(
            AlarmName=name, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=0
        )
    client("cloudwatch").set_alarm_state(AlarmName="acme-prod-churn-eu-drift", StateValue="ALARM", StateReason="test")
    shown = status(run, project)
    live = shown["churn"]
    assert (live["state"], live["endpoint"], live["version"], live["metric"], live["alarms"]) == (
        "live",
        "InService",
        1,
        "auc 0.8123",
        [],
    )
    assert (shown["churn-eu"]["state"], shown["churn-eu"]["alarms"]) == ("left over", ["drift"])


def put_record(s3, bucket, version, time, facts):
    """Put the record of a deployment, numbered like its version, and its marker."""
    body = json.dumps({"version": version, "time": time.isoformat(), "facts": facts}).encode()
    s3.put_object(Bucket=bucket, Key=chain.record_key("churn", version), Body=body)
    s3.put_object(Bucket=bucket, Key=f"churn/index/deployment/{time:%Y%m%dT%H%M%SZ}-v{version}-{version}", Body=b"")


def test_rolled_back_deployment_is_read_from_its_record(run, project, deployed):
    facts = {"configuration": f"{NAME}-v2-0a1b2c3d", "outcome": "rolled back", "reason": "the alarm went off"}
    put_record(client("s3"), RECORDS, 2, datetime.now(UTC), facts)
    shown = status(run, project)["churn"]
    assert shown["state"] == "rolled back"
    assert "the alarm went off; the endpoint serves v1 as before" in shown["findings"][0]["what"]


def test_calls_for_a_model_are_few_and_constant(run, project, deployed, calls):
    status(run, project)
    calls.pop("GetCallerIdentity")
    assert calls.pop("GetParametersByPath") == calls.pop("DescribeAlarms") == 1
    assert sum(calls.values()) <= 7
    before = Counter(calls)
    for _ in range(20):
        client("sagemaker").create_model_package(ModelPackageGroupName=NAME, ModelApprovalStatus="Rejected")
    calls.clear()
    status(run, project)
    assert calls["ListModelPackages"] == before["ListModelPackages"] == 1


def test_unknown_model_of_status_is_named(run, project, aws):
    code, _, err = run("status", "chrun", "--env", "prod", "--project", str(project))
    assert (code, "there is no model 'chrun' in" in err, "did you mean 'churn'?" in err) == (1, True, True)


def test_unreadable_environment_does_not_hide_others(run, project, aws):
    code, out, err = run("status", "--project", str(project))
    assert code == 1
    assert "prod (123456789012, eu-west-1)" in out
    assert "dev: you are signed in to account 123456789012" in err


@pytest.mark.parametrize("days", [1, 400])
def test_newest_record_is_found_however_old(aws, days):
    s3 = client("s3")
    s3.create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    now = datetime.now(UTC)
    for version in (1, 2):
        put_record(s3, "records", version, now - timedelta(days=days, hours=-version), {})
    assert newest_deployment(s3, "records", "churn", now)["version"] == 2
    assert newest_deployment(s3, "records", "sales", now) is None
