"""Application Auto Scaling of SageMaker's endpoints: permissions of callers, and policies that scale."""

from ..interfaces import EmbeddedAws
from . import permissions, policies


def install(local: EmbeddedAws) -> None:
    """Check callers and let policies scale, from the first use of Application Auto Scaling."""
    permissions.install(local)
    policies.install(local)
