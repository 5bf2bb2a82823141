"""Names and image of a model in a stack that is not a factory's."""

from aws_cdk import Names as CdkNames
from aws_cdk import Stack, Token
from constructs import Construct

from ..core.image import default_image_uri
from ..core.names import EnvironmentNames

# SageMaker and IAM allow 63 characters; the longest suffix of a model's prefix (`-monitor-job`, `-v1234-…`) takes the rest.
_LONGEST_PREFIX = 48
_ENVIRONMENT = "main"


def default_names(scope: Construct, model: str) -> EnvironmentNames:
    """Names of an environment that is the stack alone."""
    length = _LONGEST_PREFIX - len(f"--{_ENVIRONMENT}{model}")
    name = CdkNames.unique_resource_name(Stack.of(scope), max_length=length).lower()
    return EnvironmentNames.of(scope, factory=name, environment=_ENVIRONMENT)


def default_image(scope: Construct) -> str:
    """URI of AWS's scikit-learn image in the stack's region. Raises ValueError: the region is a token."""
    stack = Stack.of(scope)
    if Token.is_unresolved(stack.region):
        raise ValueError(
            f"{scope.node.path}: the region of stack {stack.stack_name!r} is known only at deployment, and the registry "
            "of AWS's scikit-learn image depends on the region; pass image=… to ModelProps.from_folder, or "
            'env=Environment(region="…") to the stack'
        )
    return default_image_uri(stack.region)
