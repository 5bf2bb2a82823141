"""Who signed a request: access key -> session of a role, with every policy that limits it.

Reads moto's STS and IAM. Keys that belong to no session of an existing role are administrators' here (the test user).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from moto.iam.models import Role, get_account_id_from, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from local_aws.arn import parse_arn
from local_aws.authorization.policies import Document, InvalidPolicyError, Principal, parse
from local_aws.authorization.resources import PARTITION

SERVICE_SESSION = "local-aws"
"""The session name of AWS's services when they act under a role: pollers, jobs' transfers, schedules, builds' artifacts."""


@dataclass(frozen=True)
class Session:
    """A principal with its identity-based policies, permissions boundary, session policy and tags."""

    principal: Principal
    identity: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] | None = None
    session: tuple[Document, ...] | None = None
    user_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    source_function: str | None = None
    """ARN of the Lambda function whose code makes the calls; None for other callers."""

    @property
    def name(self) -> str:
        """The role's ARN, or the service's host name, for reports."""
        return self.principal.role_arn or self.principal.arn


# Sessions by access key: moto keeps a list for each account, in which every call would have to search.
_SESSIONS: dict[str, AssumedRole] = {}
_FUNCTIONS: dict[str, str] = {}


def call_as_function(access_key_id: str, function_arn: str) -> None:
    """Calls signed with this key come from the code of a Lambda function: they carry its ARN."""
    _FUNCTIONS[access_key_id] = function_arn


def is_known(access_key_id: str) -> bool:
    """Whether `access_key_id` is a session's; all others are administrators', here."""
    return _assumed(access_key_id) is not None


def role_arn_of(access_key_id: str) -> str:
    """ARN of the role whose session `access_key_id` belongs to, whether it exists or not; empty for other keys."""
    assumed = _assumed(access_key_id)
    return assumed.role_arn if assumed else ""


def caller_identity(access_key_id: str) -> dict[str, str]:
    """ARN and id of the principal of an access key, as STS returns them; of an account's own key, its root user's."""
    if assumed := _assumed(access_key_id):
        return {"Arn": assumed.arn, "PrincipalId": assumed.user_id}
    account = get_account_id_from(access_key_id)
    return {"Arn": f"arn:{PARTITION}:iam::{account}:root", "PrincipalId": account}


def of_access_key(access_key_id: str) -> Session | None:
    """The session that `access_key_id` belongs to; None when it is no session of a role that exists."""
    assumed = _assumed(access_key_id)
    role = _role(assumed.role_arn) if assumed else None
    if assumed is None or role is None:
        return None
    session = _session(role, assumed.session_name, assumed.policy)
    return replace(session, source_function=_FUNCTIONS.get(access_key_id))


def of_role(role_arn: str, session_name: str = "service") -> Session:
    """A session of the role `role_arn`, as a service uses it. Raises LookupError when there is no such role."""
    role = _role(role_arn)
    if role is None:
        raise LookupError(f"role {role_arn} does not exist: deploy it before something acts as it")
    return _session(role, session_name)


def of_service(host_name: str) -> Session:
    """An AWS service that acts for itself (`events.amazonaws.com`): only resource-based policies apply to it."""
    return Session(Principal(host_name))


def is_service_session(session: Session) -> bool:
    """Whether a service acts under the role, not code of the customer's."""
    return session.principal.arn.endswith(f"/{SERVICE_SESSION}")


def _assumed(access_key_id: str) -> AssumedRole | None:
    if access_key_id in _SESSIONS:
        return _SESSIONS[access_key_id]
    if not access_key_id.startswith("ASIA"):  # what the keys of all temporary credentials begin with
        return None
    for account in list(sts_backends.values()):
        for backend in list(account.values()):
            found = backend.get_assumed_role_from_access_key(access_key_id)
            if found:
                _SESSIONS[access_key_id] = found
                return found
    return None


def _role(role_arn: str) -> Role | None:
    _, _, account, name = parse_arn(role_arn)
    roles = list(iam_backends[account][PARTITION].roles.values())
    return next((role for role in roles if f"role{role.path}{role.name}" == name), None)


def role_tags(role_arn: str) -> Mapping[str, str]:
    """The tags of a role; none when there is no such role."""
    return of_role(role_arn).tags if _role(role_arn) else {}


def _session(role: Role, session_name: str, session_policy: str | None = None) -> Session:
    tags = role.tags or []
    pairs = tags.items() if isinstance(tags, dict) else ((tag["Key"], tag["Value"]) for tag in tags)
    inline = (parse(f"{role.name}/{name}", text) for name, text in list(role.policies.items()))
    managed = (_managed(arn) for arn in role.managed_policies)
    return Session(
        principal=Principal(
            f"arn:{PARTITION}:sts::{role.account_id}:assumed-role/{role.name}/{session_name}",
            role.account_id,
            f"arn:{PARTITION}:iam::{role.account_id}:role{role.path}{role.name}",
        ),
        identity=(*inline, *managed),
        boundary=(_managed(role.permissions_boundary_arn),) if role.permissions_boundary_arn else None,
        session=(parse(f"session policy of {session_name}", session_policy),) if session_policy else None,
        user_id=f"{role.id}:{session_name}",
        tags=dict(pairs),
    )


def _managed(policy_arn: str) -> Document:
    account = parse_arn(policy_arn).account
    owners = [account] if account != "aws" else list(iam_backends)
    for owner in owners:
        policy = iam_backends[owner][PARTITION].managed_policies.get(policy_arn)
        if policy:
            version = next(v for v in policy.versions if v.version_id == policy.default_version_id)
            return parse(policy_arn, version.document)
    raise InvalidPolicyError(f"managed policy {policy_arn} does not exist on the embedded AWS: deploy it with the role")
