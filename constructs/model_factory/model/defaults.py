"""Names and image of a model in a stack that is not a factory's."""

from aws_cdk import Names as CdkNames
from aws_cdk import Stack, Token
from constructs import Construct

from ..config import ModelConfig
from ..core.names import EnvironmentNames

# SageMaker and IAM allow 63 characters; the longest suffix of a model's prefix (`-monitor-job`, `-v1234-…`) takes the rest.
_LONGEST_PREFIX = 48
_ENVIRONMENT = "main"


def default_names(scope: Construct, model: str) -> EnvironmentNames:
    """Names of an environment that is the stack alone."""
    length = _LONGEST_PREFIX - len(f"--{_ENVIRONMENT}{model}")
    name = CdkNames.unique_resource_name(Stack.of(scope), max_length=length).lower()
    return EnvironmentNames.of(scope, factory=name, environment=_ENVIRONMENT)


def default_image(scope: Construct, config: ModelConfig) -> str:
    """URI of the image of model.yaml, in the stack's region. Raises ValueError: the region is a token."""
    stack = Stack.of(scope)
    if not config.training.image and Token.is_unresolved(stack.region):
        raise ValueError(
            f"{scope.node.path}: the region of stack {stack.stack_name!r} is known only at deployment, and the registry "
            "of AWS's images depends on the region; pass image=… to ModelProps.from_folder, or "
            'env=Environment(region="…") to the stack'
        )
    return config.training.image_in(stack.region)
