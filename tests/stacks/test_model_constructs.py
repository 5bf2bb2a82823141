"""The model constructs in a user's own stack: environment-agnostic, with buckets and queues of the user's own."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from aws_cdk import App, Aws, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from model_factory.config import ConfigError
from model_factory.core.names import EnvironmentNames
from model_factory.model.alarms import ModelAlarms
from model_factory.model.dashboard import ModelDashboard
from model_factory.model.endpoint_deployer import EndpointDeployer
from model_factory.model.model_registry import ModelPackageGroup, ModelRegistry
from model_factory.model.monitor_pipeline import MonitorPipeline
from model_factory.model.pipeline import SageMakerPipeline
from model_factory.model.props import ModelProps
from model_factory.model.retrain_trigger import RetrainTrigger
from model_factory.model.scoring_pipeline import ScoringPipeline
from model_factory.model.settings import ModelSettings
from model_factory.model.training_pipeline import TrainingPipeline

STACKS = Path(__file__).parent
CHURN = STACKS / "models" / "churn"
# An image in the registry of the stack's own account and region.
IMAGE = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/churn:1"


@pytest.fixture(scope="session")
def own() -> SimpleNamespace:
    """A stack without region that has every model construct, and roles with grants; `template` is its template."""
    stack = Stack(App(), "OwnStack")
    bucket_key = kms.Key(stack, "BucketKey")
    bucket = s3.Bucket(stack, "Bucket", encryption_key=bucket_key)
    queue = sqs.Queue(stack, "Queue", fifo=True)
    props = ModelProps.from_folder(
        stack,
        CHURN,
        image=IMAGE,
        data_bucket=bucket,
        artifacts_bucket=bucket,
        retrain_queue=queue,
        deploy_queue=queue,
        removal_policy=RemovalPolicy.DESTROY,
    )
    made = SimpleNamespace(
        props=props,
        bucket_key=stack.resolve(bucket_key.key_arn),
        registry=ModelRegistry(stack, "Registry", props),
        training=TrainingPipeline(stack, "Training", props),
        monitor=MonitorPipeline(stack, "Monitor", props),
        scoring=ScoringPipeline(stack, "Scoring", props),
        trigger=RetrainTrigger(stack, "Retrain", props),
        endpoint=EndpointDeployer(stack, "Endpoint", props),
        alarms=ModelAlarms(stack, "Alarms", props),
        dashboard=ModelDashboard(stack, "Dashboard", props),
    )
    grants = {
        "Starter": made.training.grant_start_execution,
        "Reviewer": made.registry.grant_approve,
        "Caller": made.endpoint.grant_invoke,
        "Requester": made.trigger.grant_request_training,
    }
    for name, grant in grants.items():
        grant(iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()))
    made.template = Template.from_stack(stack)
    made.resources = made.template.to_json()["Resources"]
    return made


def granted(own, role: str) -> dict[str, list[str]]:
    """Resources by action, as JSON, of the policy of a role."""
    policies = own.template.find_resources(
        "AWS::IAM::Policy", {"Properties": {"Roles": [{"Ref": Match.string_like_regexp(f"^{role}")}]}}
    )
    (policy,) = policies.values()
    found = {}
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        names, resources = statement["Action"], statement["Resource"]
        for name in [names] if isinstance(names, str) else names:
            found[name] = [json.dumps(each) for each in (resources if isinstance(resources, list) else [resources])]
    return found


def test_arns_have_no_fixed_partition(own):
    assert "arn:aws:" not in json.dumps(own.resources)


def test_names_are_derived_from_stack(own):
    own.template.has_resource_properties("AWS::SageMaker::Pipeline", {"PipelineName": "ownstack-main-churn-train"})
    group = {"ModelPackageGroupName": "ownstack-main-churn"}
    own.template.has_resource_properties("AWS::SageMaker::ModelPackageGroup", group)


def test_account_wide_names_are_generated(own):
    own.template.all_resources_properties("AWS::IAM::Role", {"RoleName": Match.absent()})
    own.template.has_resource_properties("AWS::CloudWatch::Dashboard", {"DashboardName": Match.absent()})


def test_schedule_starts_monitor_pipeline_where_no_function_does(own):
    (schedule,) = own.template.find_resources(
        "AWS::Scheduler::Schedule", {"Properties": {"Name": "ownstack-main-churn-monitor"}}
    ).values()
    target = schedule["Properties"]["Target"]
    assert json.dumps(target["Arn"]).endswith(':scheduler:::aws-sdk:sagemaker:startPipelineExecution"]]}')
    request = json.loads(target["Input"])
    token = request["ClientRequestToken"].replace("<aws.scheduler.scheduled-time>", "2026-11-24T05:00:00Z")
    assert 32 <= len(token) <= 128
    assert token.endswith("2026-11-24T05:00:00Z")
    assert request["PipelineName"] == "ownstack-main-churn-monitor"
    assert request["PipelineParameters"] == [{"Name": "ScheduledTime", "Value": "<aws.scheduler.scheduled-time>"}]


def test_dashboard_shows_alarms_of_stack(own):
    (dashboard,) = own.template.find_resources("AWS::CloudWatch::Dashboard").values()
    assert "alarm:ownstack-main-churn-drift" in json.dumps(dashboard)


def test_grant_start_execution_names_one_pipeline(own):
    allowed = granted(own, "Starter")
    assert {"sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution"} <= set(allowed)
    (pipeline,) = allowed["sagemaker:StartPipelineExecution"]
    assert ":pipeline/ownstack-main-churn-train" in pipeline


def test_grant_approve_updates_versions_of_one_group(own):
    allowed = granted(own, "Reviewer")
    assert set(allowed) == {
        "sagemaker:UpdateModelPackage",
        "sagemaker:ListModelPackages",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
    }
    assert all("/ownstack-main-churn" in resource for resource in allowed["sagemaker:UpdateModelPackage"])


def test_grant_invoke_names_one_endpoint(own):
    (endpoint,) = granted(own, "Caller")["sagemaker:InvokeEndpoint"]
    assert ":endpoint/ownstack-main-churn" in endpoint


def test_grant_request_training_sends_to_queue(own):
    assert "sqs:SendMessage" in granted(own, "Requester")


def test_grant_request_training_is_refused_for_promoted_model():
    stack = Stack(App(), "Promoted")
    props = ModelProps.from_folder(stack, CHURN, image=IMAGE, promoted_from="dev")
    trigger = RetrainTrigger(stack, "Retrain", props)
    with pytest.raises(ValueError, match=r"^Promoted/Retrain: there is no retrain queue"):
        trigger.grant_request_training(iam.Role(stack, "R", assumed_by=iam.AccountRootPrincipal()))


def test_jobs_without_key_use_services_own_keys(own):
    text = json.dumps(own.template.find_resources("AWS::SageMaker::Pipeline"))
    assert "KmsKeyId" not in text


def test_roles_use_keys_of_buckets(own):
    for construct in (own.training.job_role, own.monitor.job_role, own.endpoint.role):
        role = own.resources[Stack.of(construct).get_logical_id(construct.node.default_child)]
        statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        assert own.bucket_key in [s["Resource"] for s in statements if "kms:Decrypt" in s["Action"]]


def test_each_schedule_has_role_without_environment(own):
    for schedule in own.template.find_resources("AWS::Scheduler::Schedule").values():
        name, attribute = schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"]
        assert attribute == "Arn"
        trust = own.resources[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
        assert "DeadLetterConfig" not in schedule["Properties"]["Target"]


def test_alarms_without_topic_have_no_actions(own):
    own.template.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": Match.absent()})
    assert set(own.alarms.alarms) >= {"drift", "model-quality", "data-violations", "training-failed", "endpoint-errors"}
    assert own.alarms["drift"] is own.alarms.alarms["drift"]


def test_endpoint_without_cleanup_function_has_no_custom_resource(own):
    assert own.endpoint.cleanup is None
    own.template.resource_count_is("Custom::EndpointCleanup", 0)


@pytest.mark.parametrize(
    ("construct", "method", "expected"),
    [
        ("training", "metric_execution_failed", ("ExecutionFailed", "Sum", "PipelineName")),
        ("training", "metric_execution_succeeded", ("ExecutionSucceeded", "Sum", "PipelineName")),
        ("training", "metric_execution_started", ("ExecutionStarted", "Sum", "PipelineName")),
        ("training", "metric_execution_duration", ("ExecutionDuration", "Average", "PipelineName")),
        ("monitor", "metric_drifted_features", ("DriftedFeatures", "Maximum", "Model")),
        ("monitor", "metric_prediction_drift", ("PredictionDrift", "Maximum", "Model")),
        ("monitor", "metric_data_violations", ("DataViolations", "Maximum", "Model")),
        ("monitor", "metric_rows_observed", ("RowsObserved", "Sum", "Model")),
        ("monitor", "metric_quality_shortfall", ("QualityShortfall", "Maximum", "Model")),
        ("trigger", "metric_retrain_started", ("RetrainStarted", "Sum", "Model")),
        ("trigger", "metric_retrain_skipped", ("RetrainSkipped", "Sum", "Model")),
        ("endpoint", "metric_invocations", ("Invocations", "Sum", "EndpointName")),
        ("endpoint", "metric_invocation_4xx_errors", ("Invocation4XXErrors", "Sum", "EndpointName")),
        ("endpoint", "metric_invocation_5xx_errors", ("Invocation5XXErrors", "Sum", "EndpointName")),
        ("endpoint", "metric_model_latency", ("ModelLatency", "p99", "EndpointName")),
        ("endpoint", "metric_overhead_latency", ("OverheadLatency", "p99", "EndpointName")),
    ],
)
def test_metric_has_name_statistic_and_dimensions(own, construct, method, expected):
    metric = getattr(getattr(own, construct), method)(period=Duration.hours(1))
    assert (metric.metric_name, metric.statistic) == expected[:2]
    assert metric.period.to_seconds() == 3600
    names = {"PipelineName": "ownstack-main-churn-train", "EndpointName": "ownstack-main-churn", "Model": "churn"}
    assert metric.dimensions[expected[2]] == names[expected[2]]


def test_metric_options_override_statistic(own):
    assert own.monitor.metric_rows_observed(statistic="Average").statistic == "Average"


def test_existing_pipeline_has_arn_in_lower_case():
    stack = Stack(App(), "Existing", env=Environment(account="111111111111", region="cn-north-1"))
    pipeline = SageMakerPipeline.from_pipeline_name(stack, "Pipeline", "MyPipeline")
    group = ModelPackageGroup.from_model_package_group_name(stack, "Group", "my-models")
    partition = stack.partition
    location = "sagemaker:cn-north-1:111111111111"
    assert pipeline.pipeline_arn == f"arn:{partition}:{location}:pipeline/mypipeline"
    assert group.model_package_group_arn == f"arn:{partition}:{location}:model-package-group/my-models"
    assert pipeline.metric_execution_failed().dimensions == {"PipelineName": "MyPipeline"}


@pytest.mark.parametrize(
    ("construct", "missing"),
    [
        (TrainingPipeline, "data_bucket and artifacts_bucket"),
        (MonitorPipeline, "data_bucket and artifacts_bucket"),
        (ScoringPipeline, "data_bucket and artifacts_bucket"),
        (RetrainTrigger, "retrain_queue"),
        (EndpointDeployer, "data_bucket and artifacts_bucket and deploy_queue"),
    ],
)
def test_missing_resources_are_named_with_construct_path(construct, missing):
    stack = Stack(App(), "Mine")
    props = ModelProps.from_folder(stack, CHURN, image=IMAGE)
    with pytest.raises(ValueError, match=f"^Mine/It: {construct.__name__} needs {missing}; pass ") as caught:
        construct(stack, "It", props)
    assert "EnvironmentResources.from_names" in str(caught.value)


def test_settings_need_buckets_and_key():
    stack = Stack(App(), "Mine")
    props = ModelProps.from_folder(stack, CHURN, image=IMAGE)
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    with pytest.raises(ValueError, match="artifacts_bucket and key; pass data_bucket=…"):
        ModelSettings(stack, "Settings", props, endpoint_role=role)


def test_stack_without_region_needs_image():
    with pytest.raises(ValueError, match=r"^Mine: the region of stack 'Mine' is known only at deployment.*image=…"):
        ModelProps.from_folder(Stack(App(), "Mine"), CHURN)


def test_stack_with_region_has_default_image():
    stack = Stack(App(), "Mine", env=Environment(region="eu-west-1"))
    assert ".dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:" in ModelProps.from_folder(stack, CHURN).image


def test_second_props_of_one_model_are_refused():
    stack = Stack(App(), "Mine")
    ModelProps.from_folder(stack, CHURN, image=IMAGE)
    with pytest.raises(ValueError, match=r"^Mine: ModelProps.from_folder was called twice for model 'churn'; use its"):
        ModelProps.from_folder(stack, CHURN, image=IMAGE)


def test_names_of_environment_are_used(own):
    stack = Stack(App(), "Mine")
    names = EnvironmentNames.of(stack, factory="acme", environment="dev")
    props = ModelProps.from_folder(stack, CHURN, image=IMAGE, names=names)
    assert props.names.training_pipeline == "acme-dev-churn-train"
    assert stack.resolve(props.role_name("train")) == {
        "Fn::Join": ["", ["acme-dev-churn-train-", {"Ref": "AWS::Region"}]]
    }
    assert own.props.role_name("train") is None


def test_long_stack_name_is_shortened():
    stack = Stack(App(), "AVeryLongNameOfAStackWhichNoNameOfAPipelineHasRoomFor")
    assert len(ModelProps.from_folder(stack, CHURN, image=IMAGE).names.prefix) <= 48


def test_folder_without_model_py_is_refused(tmp_path):
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "model.yaml").write_text((CHURN / "model.yaml").read_text())
    with pytest.raises(ConfigError, match=r"churn/model\.py: there is no such file; it must define features\(raw\)"):
        ModelProps.from_folder(Stack(App(), "Mine"), folder, image=IMAGE)
