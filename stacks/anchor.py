"""The stack of the anchor account: the bucket with copies of the signed heads of every environment's records."""

import math
from datetime import timedelta

from aws_cdk import Duration, Environment, Stack
from constructs import Construct

from model_factory.config import FactoryConfig
from model_factory.config.factory import Anchor
from model_factory.core.names import EnvironmentNames
from model_factory.environment.anchor_bucket import AnchorBucket


class AnchorStack(Stack):
    """The stack `<factory>-anchor`. The delivery pipeline does not deploy it: its account has its own administrators.

    Args:
        scope: The app.
        factory: The content of factory.yaml.
        anchor: Its section `anchor`.
        names: Names in the anchor account.
    """

    def __init__(self, scope: Construct, factory: FactoryConfig, anchor: Anchor, names: EnvironmentNames) -> None:
        super().__init__(
            scope,
            names.anchor_stack,
            stack_name=names.anchor_stack,
            description=f"Model Factory {factory.name}: copies of signed heads of records",
            env=Environment(account=anchor.account, region=anchor.region),
        )
        self.heads = AnchorBucket(
            self,
            "Anchor",
            names=names,
            environments={each.name: factory.names(each) for each in factory.environments},
            retention=Duration.days(math.ceil(anchor.retention / timedelta(days=1))),
        )
        """The bucket and its policy."""
