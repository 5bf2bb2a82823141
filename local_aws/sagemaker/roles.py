"""SageMaker's own calls under a role that was passed to it, before and beside the container's.

Sources: SageMaker developer guide, "How to use SageMaker execution roles" (what CreateProcessingJob, CreateTrainingJob
and CreateModel need, also in a VPC) and "API permissions: actions, permissions, and resources reference" (what their
callers need).
"""

import logging
import re
import threading
from collections.abc import Iterable, Mapping, Sequence

from moto.logs.models import logs_backends

from ..authorization import AccessDeniedError
from ..authorization.principals import caller_identity
from ..interfaces import EmbeddedAws
from ..json_api import ServiceError
from .containers.image_environments import digest_of
from .state import State

log = logging.getLogger(__name__)
SERVICE = "sagemaker.amazonaws.com"
IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)")
_TAG = re.compile(r".*/(?P<name>[^/:@]+(?::[^/@]+)?)(?:@(?P<digest>sha256:[0-9a-f]{64}))?")
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
DESCRIBED = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
INTERFACE_ACTIONS = ("CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission")
FOR_SERVICES = {"kms:GrantIsForAWSResource": "true"}
MAX_LINES = 5000


def image_digest(image: str) -> str | None:
    """The digest of a container image in ECR; None for an image elsewhere.

    There is no registry here: a tag always means the same image, in every account and region.
    """
    if not IMAGE.match(image) or not (found := _TAG.fullmatch(image)):
        return None
    return found["digest"] or digest_of(found["name"])


class Roles:
    """Acts as roles, and on behalf of the caller of the API request that this thread serves."""

    def __init__(self, local: EmbeddedAws) -> None:
        self._local = local
        self._calling = threading.local()

    def called_by(self, access_key_id: str) -> None:
        """Set the caller of the request that this thread serves."""
        self._calling.key = access_key_id

    def caller_identity(self) -> dict[str, str] | None:
        """ARN and id of the caller, as `IamIdentity` has them; None where the thread serves no request."""
        return caller_identity(key) if (key := getattr(self._calling, "key", None)) else None

    def caller_needs(self, action: str, resource: str, region: str, keys: dict[str, str] | None = None) -> None:
        """Check a permission of the caller. Raises AccessDeniedError."""
        self._local.authorization.check_caller(self._calling.key, action, resource, keys, region)

    def take(self, role_arn: str, source_arn: str) -> None:
        """Assume a role for the resource `source_arn`. Raises ServiceError with SageMaker's message."""
        try:
            self._local.authorization.take_role(SERVICE, role_arn, source_arn)
        except AccessDeniedError as refusal:
            raise ServiceError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{SERVICE}' to assume the role. ({refusal})"
            ) from refusal

    def pull_image(self, role_arn: str, image: str) -> None:
        """Pull a container image from ECR. Raises AccessDeniedError. (An image elsewhere needs no permission.)"""
        found = IMAGE.match(image)
        if not found:
            return
        region = found["region"]
        check = self._local.authorization.check
        check(role_arn, "ecr:GetAuthorizationToken", "*", region=region)
        repository = f"arn:aws:ecr:{region}:{found['account']}:repository/{found['name']}"
        for action in PULL:
            check(role_arn, action, repository, region=region)

    def create_interfaces(self, role_arn: str, vpc: Mapping[str, Sequence[str]], state: State) -> None:
        """Connect a container to subnets and security groups. Raises AccessDeniedError. (Without a VPC: nothing.)"""
        if not vpc:
            return
        check, region = self._local.authorization.check, state.region
        ec2 = f"arn:aws:ec2:{region}:{state.account}"
        for kind in DESCRIBED:
            check(role_arn, f"ec2:Describe{kind}", "*", region=region)
        places = [f"subnet/{each}" for each in vpc["Subnets"]]
        places += [f"security-group/{each}" for each in vpc["SecurityGroupIds"]]
        for place in ("network-interface/*", *places):
            check(role_arn, "ec2:CreateNetworkInterface", f"{ec2}:{place}", region=region)
        for action in INTERFACE_ACTIONS:
            check(role_arn, f"ec2:{action}", f"{ec2}:network-interface/*", region=region)

    def encrypt_volume(self, role_arn: str, key: str | None, region: str) -> None:
        """Check the grant for a job's volume, as the role or else as the caller. Raises AccessDeniedError."""
        if not key:
            return
        try:
            self._local.authorization.check(role_arn, "kms:CreateGrant", key, FOR_SERVICES, region)
        except AccessDeniedError:
            if getattr(self._calling, "key", None) is None:
                raise
            self.caller_needs("kms:CreateGrant", key, region, FOR_SERVICES)

    def encrypt_output(self, role_arn: str, key: str | None, region: str) -> None:
        """Check the role's permission for the key of a job's output. Raises AccessDeniedError."""
        if key:
            self._local.authorization.check(role_arn, "kms:Encrypt", key, region=region)

    def write_log(self, role_arn: str, state: State, where: tuple[str, str], lines: Iterable[str], stamp: int) -> None:
        """Write `lines` to (log group, stream) as the role; lines that it may not write are lost, as on AWS."""
        group, stream = where
        backend = logs_backends[state.account][state.region]
        names = {"logGroupName": group, "logStreamName": stream}
        try:
            if group not in backend.groups:
                self._log_call(role_arn, "CreateLogGroup", names, state.region)
                backend.ensure_log_group(group)
            self._log_call(role_arn, "DescribeLogStreams", names, state.region)
            if stream not in backend.groups[group].streams:
                self._log_call(role_arn, "CreateLogStream", names, state.region)
                backend.create_log_stream(group, stream)
            events = [{"timestamp": stamp, "message": line} for line in lines if line.strip()]
            if events:
                self._log_call(role_arn, "PutLogEvents", names, state.region)
                backend.put_log_events(group, stream, events[-MAX_LINES:])
        except (AccessDeniedError, LookupError) as refusal:  # LookupError: the role was deleted
            log.warning("the log of %s is lost: %s", stream, refusal)

    def _log_call(self, role_arn: str, operation: str, names: dict[str, str], region: str) -> None:
        of_group = operation in ("CreateLogGroup", "DescribeLogStreams")
        params = {"logGroupName": names["logGroupName"]} if of_group else names
        self._local.authorization.check_call(role_arn, "logs", operation, params, region)
