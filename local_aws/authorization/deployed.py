"""Corrections of moto's handling of bucket policies.

Moto's own evaluation of them ignores callers and conditions, so that a bucket which denies plain HTTP would deny everything
to everyone.
"""

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from local_aws.interfaces import Patchable


def install(server: Patchable) -> None:
    """Replace moto's handling of policies."""
    server.replace(FakeBucket, "get_permission", _no_opinion)
    # S3 itself accepts access logging before the target's policy exists; moto would dictate the order of a template.
    server.replace(FakeBucket, "_log_permissions_enabled_policy", staticmethod(lambda **_: True))


def _no_opinion(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL
