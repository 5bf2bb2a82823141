"""The IAM policy for whoever runs `model-factory doctor` in an environment."""

from typing import Any

from model_factory.core.names import EnvironmentNames

ANYWHERE = [
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpointServices",
    "ecr:BatchGetImage",
    "kms:DescribeKey",
    "logs:DescribeLogGroups",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "servicequotas:ListServiceQuotas",
]
"""Actions that read no content of the account. Images are in accounts of AWS's, aliases and log groups may not exist yet."""


def policy(names: EnvironmentNames, api_key: str | None = None) -> dict[str, Any]:
    """A policy document that allows exactly what the checks read. `api_key`: parameter of the OpenLineage receiver's key."""
    prefix, region = names.prefix, names.region
    parameters = [
        names.arn("ssm", "parameter/cdk-bootstrap/*"),
        names.arn("ssm", "parameter/aws/service/*"),
        f"arn:{names.partition}:ssm:{region}::parameter/aws/service/*",
        names.arn("ssm", f"parameter{names.models_parameter_prefix}*"),
    ]
    # A service-linked role has a path; a request about one that does not exist is evaluated without it.
    paths = ("cdk-*", f"{prefix}-*", "aws-service-role/*", "AWSServiceRoleFor*")
    roles = [names.iam_arn(f"role/{each}") for each in paths]
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow(ANYWHERE, ["*"]),
            _allow(["ssm:GetParameter", "ssm:GetParameters"], parameters),
            *([_allow(["ssm:GetParameterHistory"], [names.arn("ssm", f"parameter{api_key}")])] if api_key else []),
            _allow(["iam:GetRole"], roles),
            _allow(["iam:GetPolicy"], [names.iam_arn("policy/*")]),
            _allow(["cloudformation:DescribeStacks"], [names.arn("cloudformation", f"stack/{prefix}-*")]),
            _allow(["s3:ListBucket"], [f"arn:{names.partition}:s3:::{prefix}-*"]),
            _allow(["sqs:GetQueueUrl"], [names.arn("sqs", f"{prefix}-*")]),
            _allow(["lambda:GetFunction"], [names.arn("lambda", f"function:{prefix}-*")]),
            _allow(["sagemaker:DescribePipeline"], [names.arn("sagemaker", f"pipeline/{prefix}-*")]),
            _allow(
                ["sagemaker:DescribeModelPackageGroup"], [names.arn("sagemaker", f"model-package-group/{prefix}-*")]
            ),
        ],
    }


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}
