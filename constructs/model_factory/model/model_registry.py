"""The model package group of a model."""

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from ..core.permissions import allow
from ..core.removal import retained_after_creation
from .props import ModelProps


class ModelPackageGroup(Construct):
    """ARN and grants of a model package group; base of ModelRegistry. It creates no resource.

    Attributes:
        model_package_group_name: Name of the group.
    """

    def __init__(self, scope: Construct, construct_id: str, *, model_package_group_name: str) -> None:
        """A group of the stack's account and region.

        Args:
            scope: Parent construct.
            construct_id: Id of this construct in `scope`.
            model_package_group_name: Name of the group.
        """
        super().__init__(scope, construct_id)
        self.model_package_group_name = model_package_group_name

    @staticmethod
    def from_model_package_group_name(
        scope: Construct, construct_id: str, model_package_group_name: str
    ) -> "ModelPackageGroup":
        """An existing group of the stack's account and region.

        Args:
            scope: Parent construct.
            construct_id: Id of the new construct in `scope`.
            model_package_group_name: Name of the group.
        """
        return ModelPackageGroup(scope, construct_id, model_package_group_name=model_package_group_name)

    @property
    def model_package_group_arn(self) -> str:
        """ARN of the group."""
        return self._arn("model-package-group")

    @property
    def model_package_arns(self) -> str:
        """ARN pattern of all versions in the group."""
        return f"{self._arn('model-package')}/*"

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a principal to list and read the versions.

        Args:
            grantee: The principal, such as a role or a Lambda function.
        """
        return self._grant(grantee, "ListModelPackages", "DescribeModelPackage", "DescribeModelPackageGroup")

    def grant_approve(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a principal to read the versions and to change their approval status.

        Args:
            grantee: The principal, such as a role or a Lambda function.
        """
        return self._grant(grantee, "UpdateModelPackage").combine(self.grant_read(grantee))

    def _grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"sagemaker:{action}" for action in actions],
            resource_arns=[self.model_package_group_arn, self.model_package_arns],
        )

    def _arn(self, resource: str) -> str:
        # SageMaker writes names in lower case in ARNs.
        name = self.model_package_group_name
        name = name if Token.is_unresolved(name) else name.lower()
        return Stack.of(self).format_arn(service="sagemaker", resource=resource, resource_name=name)


class ModelRegistry(ModelPackageGroup):
    """The model package group in which the versions of a model are registered.

    Attributes:
        group: The CloudFormation resource.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Uses `removal_policy`: with RETAIN the group remains when the stack is deleted.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id, model_package_group_name=props.names.model_package_group)
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=self.model_package_group_name,
            # SageMaker cannot change it, so it must not depend on what users edit: a change would replace the group.
            model_package_group_description=f"Versions of {props.config.name}",
        )
        self.group.apply_removal_policy(retained_after_creation(props.removal_policy))


def read_versions(props: ModelProps) -> iam.PolicyStatement:
    """List and read the versions of the model."""
    return allow(["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"], [versions_arn(props)])


def versions_arn(props: ModelProps) -> str:
    """ARN pattern of all versions. IAM checks registering and listing against it, too, not against the group."""
    return props.environment_names.arn("sagemaker", f"model-package/{props.names.model_package_group}/*")
