"""Where a model's versions are registered."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from ..core.permissions import allow
from .props import ModelProps


class ModelRegistry(Construct):
    """The model package group; with retained data it stays when the stack is deleted."""

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id)
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=props.names.model_package_group,
            model_package_group_description=props.config.description or f"Versions of {props.config.name}",
        )
        retained = props.environment.removal == "retain"
        self.group.apply_removal_policy(RemovalPolicy.RETAIN if retained else RemovalPolicy.DESTROY)


def read_versions(props: ModelProps) -> iam.PolicyStatement:
    """Find and read the model's versions."""
    return allow(["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"], [versions_arn(props)])


def versions_arn(props: ModelProps) -> str:
    """All of the model's versions. Registering and listing them is a matter of the versions, too, not of their group."""
    return props.shared.arn("sagemaker", f"model-package/{props.names.model_package_group}/*")
