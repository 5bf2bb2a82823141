"""What each shared function may do. They serve every model, so resources are bounded by the factory's names."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam

from .factory_function import consume_statement
from .names import EnvironmentNames
from .permissions import allow, pass_role, put_metrics, read_objects, use_key, write_objects


def retrain_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """lambda/retrain: look at settings, executions and new data; start a training pipeline."""
    pipelines = f"pipeline/{names.prefix}-*-train"
    return [
        consume_statement(names, "retrain"),
        use_key(key_arn),
        _read_settings(names),
        allow(
            [
                "sagemaker:ListPipelineExecutions",
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineParametersForExecution",
                "sagemaker:StartPipelineExecution",
            ],
            [names.arn("sagemaker", pipelines), names.arn("sagemaker", f"{pipelines}/execution/*")],
        ),
        allow(["s3:ListBucket"], [names.bucket_arn("data")], StringLike={"s3:prefix": ["*/raw/*"]}),
        put_metrics(),
    ]


def deploy_statements(names: EnvironmentNames, key_arn: str) -> list[iam.PolicyStatement]:
    """lambda/deploy: bring the newest approved version into service and write down that it did."""
    return [
        consume_statement(names, "deploy"),
        use_key(key_arn),
        # CreateEndpointConfig checks that its caller may use the key for the disks.
        allow(["kms:CreateGrant", "kms:DescribeKey"], [key_arn]),
        _read_settings(names),
        allow(["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"], _versions(names)),
        allow(
            [
                f"sagemaker:{verb}{kind}"
                for kind in ("Model", "EndpointConfig", "Endpoint")
                for verb in ("Create", "Describe", "Delete")
            ]
            + ["sagemaker:UpdateEndpoint", "sagemaker:AddTags"],
            _serving(names),
        ),
        _list_serving(),
        pass_role(names.iam_arn(f"role/{names.prefix}-*-endpoint")),
        *_scaling(names, register=True),
        allow(["cloudwatch:DescribeAlarms"], [names.arn("cloudwatch", f"alarm:{names.prefix}-*")]),
        *read_objects(names, "records", ""),
        write_objects(names, "records", ""),
        put_metrics(),
    ]


def cleanup_statements(names: EnvironmentNames) -> list[iam.PolicyStatement]:
    """lambda/endpoint_cleanup: remove what the deploy function made for a model, and its versions."""
    return [
        allow(
            [
                f"sagemaker:{verb}{kind}"
                for kind in ("Model", "EndpointConfig", "Endpoint")
                for verb in ("Describe", "Delete")
            ],
            _serving(names),
        ),
        _list_serving(),
        allow(
            ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", "sagemaker:DeleteModelPackage"],
            _versions(names),
        ),
        *_scaling(names, register=False),
    ]


def _read_settings(names: EnvironmentNames) -> iam.PolicyStatement:
    return allow(
        ["ssm:GetParameter", "ssm:GetParametersByPath"],
        [
            names.arn("ssm", f"parameter{names.models_parameter_prefix.rstrip('/')}"),
            names.arn("ssm", f"parameter{names.models_parameter_prefix}*"),
        ],
    )


def _versions(names: EnvironmentNames) -> list[str]:
    kinds = ("model-package-group", "model-package")
    return [names.arn("sagemaker", f"{kind}/{names.prefix}-*") for kind in kinds]


def _serving(names: EnvironmentNames) -> list[str]:
    kinds = ("model", "endpoint-config", "endpoint")
    return [names.arn("sagemaker", f"{kind}/{names.prefix}-*") for kind in kinds]


def _list_serving() -> iam.PolicyStatement:
    """Lists have no resource to name."""
    return allow(["sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints"], ["*"])


def _scaling(names: EnvironmentNames, *, register: bool) -> list[iam.PolicyStatement]:
    """Application Auto Scaling of endpoints' variants; its service-linked role is made at the first use."""
    verbs = ["DeregisterScalableTarget", "DeleteScalingPolicy"]
    if register:
        verbs += ["RegisterScalableTarget", "PutScalingPolicy"]
    only_sagemaker: Mapping[str, object] = {"application-autoscaling:service-namespace": "sagemaker"}
    statements = [
        allow(
            [f"application-autoscaling:{verb}" for verb in verbs],
            [names.arn("application-autoscaling", "scalable-target/*")],
            StringEquals=only_sagemaker,
        ),
        allow(
            [
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
            ],
            ["*"],
        ),
    ]
    if register:
        service = "sagemaker.application-autoscaling.amazonaws.com"
        role = f"role/aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        statements.append(
            allow(["iam:CreateServiceLinkedRole"], [names.iam_arn(role)], StringEquals={"iam:AWSServiceName": service})
        )
    return statements
