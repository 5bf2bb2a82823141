"""Statements of the roles of the shared functions. They serve every model, so resources are limited by name patterns."""

from aws_cdk import aws_iam as iam

from ..core.factory_function import consume_statements
from ..core.names import BACKLOG_ALARM, EnvironmentNames
from ..core.permissions import (
    allow,
    allow_without_resource,
    encrypt_volumes,
    pass_role,
    put_metrics,
    send_alerts,
    use_key,
)
from .recorder import send_records


def shared_statements(names: EnvironmentNames, key_arn: str) -> dict[str, list[iam.PolicyStatement]]:
    """Statements of the roles of the functions that act on models, by the functions' names."""
    return {
        "retrain": retrain_statements(names, key_arn),
        "score": score_statements(names, key_arn),
        "deploy": deploy_statements(names, key_arn),
        "endpoint-cleanup": cleanup_statements(names, key_arn),
        "monitor": monitor_statements(names),
    }


def retrain_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """Role of lambda/retrain: read settings, executions and the list of raw data; start trainings, note what follows them."""
    return [
        *consume_statements(names, "retrain"),
        use_key(key_arn),
        _read_settings(names),
        allow(
            ["sagemaker:ListPipelineExecutions", "sagemaker:StartPipelineExecution"],
            [pipelines := names.arn("sagemaker", f"pipeline/{names.prefix}-*-train")],
        ),
        allow(["sagemaker:UpdatePipelineExecution"], [f"{pipelines}/execution/*"]),
        allow(["s3:ListBucket"], [names.bucket_arn("data")], StringLike={"s3:prefix": ["*/raw/*"]}),
        put_metrics(),
        send_records(names),
        send_alerts(names),
    ]


def score_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """Role of lambda/score: read settings and executions; start scoring pipelines, note that another run has to follow."""
    pipelines = names.arn("sagemaker", f"pipeline/{names.prefix}-*-score")
    return [
        *consume_statements(names, "score"),
        use_key(key_arn),
        _read_settings(names),
        allow(["sagemaker:ListPipelineExecutions", "sagemaker:StartPipelineExecution"], [pipelines]),
        allow(["sagemaker:UpdatePipelineExecution"], [f"{pipelines}/execution/*"]),
        send_alerts(names),
    ]


def monitor_statements(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Role of lambda/monitor: see whether there is an endpoint or an approved version, and start monitor pipelines."""
    return [
        allow(["sagemaker:ListModelPackages"], _versions(names)),
        _describe_endpoints(names),
        allow(["sagemaker:StartPipelineExecution"], [names.arn("sagemaker", f"pipeline/{names.prefix}-*-monitor")]),
        put_metrics(),
    ]


def deploy_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """Role of lambda/deploy: deploy the newest approved version, reject a challenger that lost, send records and alerts."""
    return [
        *consume_statements(names, "deploy"),
        use_key(key_arn),
        encrypt_volumes(key_arn),
        _read_settings(names),
        allow(["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"], _versions(names)),
        # It rejects a challenger that lost its trial, and approves nothing.
        allow(
            ["sagemaker:UpdateModelPackage"],
            _versions(names),
            StringEquals={"sagemaker:ModelApprovalStatus": "Rejected"},
        ),
        allow(
            [
                "sagemaker:CreateModel",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:CreateEndpoint",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
                "sagemaker:DeleteEndpoint",
            ],
            _serving(names),
        ),
        _describe_endpoints(names),
        allow(
            ["sagemaker:AddTags", "sagemaker:ListTags"],
            [*_serving(names), names.arn("sagemaker", f"model-package-group/{names.prefix}-*")],
        ),
        pass_role(names.iam_arn(f"role/{names.model('*').role('endpoint')}")),
        *_scaling(names),
        allow(
            ["s3:GetObject"],
            [f"{names.bucket_arn('artifacts')}/*/{each}" for each in ("model.tar.gz", "monitor/trial.json")],
        ),
        allow(["s3:ListBucket"], [names.bucket_arn("artifacts")], StringLike={"s3:prefix": ["*/monitor/trial.json"]}),
        send_records(names),
        send_alerts(names),
    ]


def cleanup_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """Role of lambda/endpoint_cleanup: delete the resources that lambda/deploy created for a model, and its versions."""
    return [
        allow(
            [
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
            ],
            _serving(names),
        ),
        _describe_endpoints(names),
        _scaling_targets(names, "DeregisterScalableTarget"),
        allow(["cloudwatch:DeleteAlarms"], [names.arn("cloudwatch", f"alarm:{names.prefix}-*{BACKLOG_ALARM}")]),
        allow_without_resource(["sagemaker:ListModels", "sagemaker:ListEndpointConfigs"]),
        allow(["sagemaker:ListModelPackages", "sagemaker:DeleteModelPackage"], _versions(names)),
        use_key(key_arn),
        send_records(names),
    ]


def _read_settings(names: EnvironmentNames) -> iam.PolicyStatement:
    return allow(["ssm:GetParameter"], [names.arn("ssm", f"parameter{names.models_parameter_prefix}*")])


def _versions(names: EnvironmentNames) -> list[str]:
    """ARNs of versions, which are `<group>/<number>`. Listing versions is authorized on them, not on their group."""
    return [names.arn("sagemaker", f"model-package/{names.prefix}-*")]


def _describe_endpoints(names: EnvironmentNames) -> iam.PolicyStatement:
    """One statement for all functions: the policy of the VPC endpoint has it once."""
    return allow(["sagemaker:DescribeEndpoint"], [names.arn("sagemaker", f"endpoint/{names.prefix}-*")])


def _serving(names: EnvironmentNames) -> list[str]:
    kinds = ("model", "endpoint-config", "endpoint")
    return [names.arn("sagemaker", f"{kind}/{names.prefix}-*") for kind in kinds]


def _scaling(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """Application Auto Scaling of endpoints' variants. AWS creates its service-linked role at the first use.

    When a policy is put, Application Auto Scaling validates the caller's permissions for CloudWatch with calls for no
    existing alarm (its user guide, "Permissions validation for Application Auto Scaling API calls on target resources"):
    a pattern of alarm names would fail. DescribeAlarms is also what SageMaker requires for the alarms of a deployment.
    """
    service = "sagemaker.application-autoscaling.amazonaws.com"
    role = f"role/aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    return [
        _scaling_targets(names, "RegisterScalableTarget", "PutScalingPolicy", "DeregisterScalableTarget"),
        allow(
            ["cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            [names.arn("cloudwatch", "alarm:*")],
        ),
        allow(["iam:CreateServiceLinkedRole"], [names.iam_arn(role)], StringEquals={"iam:AWSServiceName": service}),
    ]


def _scaling_targets(names: EnvironmentNames, *actions: str) -> iam.PolicyStatement:
    return allow(
        [f"application-autoscaling:{action}" for action in actions],
        [names.arn("application-autoscaling", "scalable-target/*")],
        StringEquals={"application-autoscaling:service-namespace": "sagemaker"},
    )
