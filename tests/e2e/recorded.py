"""What the gate decided while the tests ran, and what it would have decided with one permission less."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from local_aws.authorization.evaluation import Decision, Policies, Request, evaluate
from local_aws.authorization.policies import Document, Statement, parse
from local_aws.authorization.resources import policies_on


@dataclass(frozen=True)
class Permission:
    """One action, one of several resources, or one of several principals, of one statement; or a whole statement.

    `holder`: what follows `<factory>-<environment>-` in a role's name, or the kind and name of what a policy hangs on,
    and the statement's Sid if it has one.
    """

    holder: str
    statement: int
    part: str
    value: str


@dataclass
class Recorder:
    """Keeps one of each kind of allowed request; hand `see` to `Authorization.watch`."""

    kept: dict[tuple[object, ...], tuple[Request, Policies]] = field(default_factory=dict)

    def see(self, request: Request, policies: Policies, decision: Decision) -> None:
        if decision.allowed:
            by = frozenset((statement.source, statement.sid) for statement in decision.statements)
            key = (request.principal.role_arn or request.principal.arn, request.action, request.resource, by)
            self.kept.setdefault(key, (request, policies))

    def needs(self, document: Document, permission: Permission, role_arn: str | None = None) -> bool:
        """Whether a recorded request would be denied if `document` (of the role, or on a resource) had less by this."""
        less, statement = without(document, permission), document.statements[permission.statement]
        return any(
            statement.covers_action(request.action)
            and evaluate(request, _with(policies, document, role_arn)).allowed
            and not evaluate(request, _with(policies, less, role_arn)).allowed
            for request, policies in list(self.kept.values())
            if (role_arn == request.principal.role_arn if role_arn else _hangs(policies, document))
        )


def _hangs(policies: Policies, document: Document) -> bool:
    return any(each.name == document.name for each in (*policies.resource, *(policies.endpoint or ())))


def _with(policies: Policies, document: Document, role_arn: str | None) -> Policies:
    if role_arn:
        return replace(policies, identity=(document,))
    resource = tuple(document if each.name == document.name else each for each in policies.resource)
    endpoint = policies.endpoint and tuple(document if d.name == document.name else d for d in policies.endpoint)
    return replace(policies, resource=resource, endpoint=endpoint)


def permissions(holder: str, document: Document) -> Iterator[Permission]:
    """All that could be taken away from what the document allows."""
    for index, statement in enumerate(document.statements):
        if statement.effect == "Deny":
            continue
        held_by = holder if statement.sid.startswith("#") else f"{holder}/{statement.sid}"
        if _principals(statement) and all(name.endswith(":root") for name in _principals(statement)):
            # It leaves a key to its account's own policies, whose actions are judged there: needed as a whole.
            yield Permission(held_by, index, "statement", "the account")
            continue
        several = {
            "action": statement.actions,
            "resource": statement.resources if len(statement.resources) > 1 else (),
            "principal": found if len(found := _principals(statement)) > 1 else (),
        }
        for part, values in several.items():
            yield from (Permission(held_by, index, part, value) for value in values)


def _principals(statement: Statement) -> tuple[str, ...]:
    return tuple(value for _, values in statement.principals or () for value in values)


def without(document: Document, permission: Permission) -> Document:
    """The policy with less; a statement that is left without actions goes."""
    statements = list(document.statements)
    statement, gone = statements[permission.statement], permission.value
    if permission.part == "statement":
        statement = replace(statement, actions=())
    elif permission.part == "action":
        statement = replace(statement, actions=tuple(a for a in statement.actions if a != gone))
    elif permission.part == "resource":
        statement = replace(statement, resources=tuple(r for r in statement.resources if r != gone))
    else:
        named = tuple((kind, tuple(v for v in values if v != gone)) for kind, values in statement.principals or ())
        statement = replace(statement, principals=named)
    statements[permission.statement : permission.statement + 1] = [statement] if statement.actions else []
    return Document(document.name, tuple(statements))


def deployed_roles(iam: Any, prefix: str) -> dict[str, tuple[str, Document]]:
    """Roles whose name starts with `prefix`: what follows it -> ARN and policy."""
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role for page in pages for role in page["Roles"] if role["RoleName"].startswith(prefix)]
    return {role["RoleName"].removeprefix(prefix): (role["Arn"], _policy_of(iam, role["RoleName"])) for role in roles}


def _policy_of(iam: Any, name: str) -> Document:
    """The one inline policy of a role of the factory."""
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    content = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return parse(f"{name}/{policy}", json.dumps(content))


def deployed_resource_policies(session: Any) -> dict[str, Document]:
    """The policies on an environment's key, buckets, queues and topic, and on the ways out of its network if it has one."""
    names = session.names
    key = session.client("kms").describe_key(KeyId=names.key_alias)["KeyMetadata"]["Arn"]
    queues = [name(purpose) for name in (names.queue, names.dead_letter_queue) for purpose in ("retrain", "deploy")]
    arns = {
        "key": key,
        "topic alerts": names.arn("sns", names.alerts_topic),
        **{f"bucket {purpose}": names.bucket_arn(purpose) for purpose in ("data", "artifacts", "records", "logs")},
        **{f"queue {queue.removeprefix(names.prefix + '-')}": names.arn("sqs", queue) for queue in queues},
        "queue undelivered": names.arn("sqs", names.undelivered_queue),
    }
    ways_out = session.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    return {
        **{holder: document for holder, arn in arns.items() for document in policies_on(arn)},
        **{
            f"way out {each['ServiceName'].split('.', 3)[3]}": parse(each["VpcEndpointId"], each["PolicyDocument"])
            for each in ways_out
        },
    }
