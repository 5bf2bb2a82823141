"""Records allowed requests, and evaluates them again with one permission removed from a policy."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from local_aws.authorization.evaluation import Decision, Policies, Request, evaluate
from local_aws.authorization.policies import Document, Statement, parse
from local_aws.authorization.resources import policies_on


@dataclass(frozen=True)
class Permission:
    """One action, one of several resources, or one of several principals, of one statement; or a whole statement.

    `holder`: a role's name without `<factory>-<environment>-`, or kind and name of the resource that has the policy, and the
    statement's Sid if it has one.
    """

    holder: str
    statement: int
    part: str
    value: str


@dataclass
class Recorder:
    """Keeps one allowed request of each kind. `record` is a callback for `Authorization.watch`."""

    requests: dict[tuple[object, ...], tuple[Request, Policies]] = field(default_factory=dict)

    def record(self, request: Request, policies: Policies, decision: Decision) -> None:
        if decision.allowed:
            statements = frozenset((statement.source, statement.sid) for statement in decision.statements)
            key = (request.principal.role_arn or request.principal.arn, request.action, request.resource, statements)
            self.requests.setdefault(key, (request, policies))

    def needs(self, document: Document, permission: Permission, role_arn: str | None = None) -> bool:
        """Whether removing the permission from `document` (of a role or of a resource) would deny a recorded request."""
        reduced, statement = without(document, permission), document.statements[permission.statement]
        return any(
            statement.covers_action(request.action)
            and evaluate(request, _with(policies, document, role_arn)).allowed
            and not evaluate(request, _with(policies, reduced, role_arn)).allowed
            for request, policies in list(self.requests.values())
            if (role_arn == request.principal.role_arn if role_arn else _applies(policies, document))
        )


def _applies(policies: Policies, document: Document) -> bool:
    return any(each.name == document.name for each in (*policies.resource, *(policies.endpoint or ())))


def _with(policies: Policies, document: Document, role_arn: str | None) -> Policies:
    if role_arn:
        return replace(policies, identity=(document,))
    resource = tuple(document if each.name == document.name else each for each in policies.resource)
    endpoint = policies.endpoint and tuple(document if d.name == document.name else d for d in policies.endpoint)
    return replace(policies, resource=resource, endpoint=endpoint)


def permissions(holder: str, document: Document) -> Iterator[Permission]:
    """All permissions of the document that can be removed one by one."""
    for index, statement in enumerate(document.statements):
        if statement.effect == "Deny":
            continue
        name = holder if statement.sid.startswith("#") else f"{holder}/{statement.sid}"
        if _principals(statement) and all(principal.endswith(":root") for principal in _principals(statement)):
            # The statement allows the account's IAM policies to grant access to a key: it is needed as a whole.
            yield Permission(name, index, "statement", "the account")
            continue
        several = {
            "action": statement.actions,
            "resource": statement.resources if len(statement.resources) > 1 else (),
            "principal": found if len(found := _principals(statement)) > 1 else (),
        }
        for part, values in several.items():
            yield from (Permission(name, index, part, value) for value in values)


def _principals(statement: Statement) -> tuple[str, ...]:
    return tuple(value for _, values in statement.principals or () for value in values)


def without(document: Document, permission: Permission) -> Document:
    """The policy without the permission. A statement without actions is removed."""
    statements = list(document.statements)
    statement, removed = statements[permission.statement], permission.value
    if permission.part == "statement":
        statement = replace(statement, actions=())
    elif permission.part == "action":
        statement = replace(statement, actions=tuple(a for a in statement.actions if a != removed))
    elif permission.part == "resource":
        statement = replace(statement, resources=tuple(r for r in statement.resources if r != removed))
    else:
        principals = tuple(
            (kind, tuple(v for v in values if v != removed)) for kind, values in statement.principals or ()
        )
        statement = replace(statement, principals=principals)
    statements[permission.statement : permission.statement + 1] = [statement] if statement.actions else []
    return Document(document.name, tuple(statements))


def deployed_roles(iam: Any, prefix: str) -> dict[str, tuple[str, Document]]:
    """ARN and policy of each role whose name starts with `prefix`, by the rest of the name without the region."""
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role for page in pages for role in page["Roles"] if role["RoleName"].startswith(prefix)]
    parts = [re.sub(r"-[a-z]{3,}\d$", "", role["RoleName"].removeprefix(prefix)) for role in roles]
    described = [(role["Arn"], _policy_of(iam, role["RoleName"])) for role in roles]
    return dict(zip(parts, described, strict=True))


def _policy_of(iam: Any, name: str) -> Document:
    """The inline policy of a role; roles of a factory have exactly one."""
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    content = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return parse(f"{name}/{policy}", json.dumps(content))


def deployed_resource_policies(session: Any) -> dict[str, Document]:
    """The policies of an environment's key, buckets, queues and topic, and of the VPC endpoints of its network."""
    names = session.names
    key = session.client("kms").describe_key(KeyId=names.key_alias)["KeyMetadata"]["Arn"]
    queues = [
        name(purpose)
        for name in (names.queue, names.dead_letter_queue)
        for purpose in ("retrain", "deploy", "score", "recorder", "publisher", "alerts")
    ]
    arns = {
        "key": key,
        "topic alerts": names.arn("sns", names.alerts_topic),
        **{f"bucket {purpose}": names.bucket_arn(purpose) for purpose in ("data", "artifacts", "records", "logs")},
        **{f"queue {queue.removeprefix(names.prefix + '-')}": names.arn("sqs", queue) for queue in queues},
        "queue undelivered": names.arn("sqs", names.undelivered_queue),
    }
    vpc_endpoints = session.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    return {
        **{holder: document for holder, arn in arns.items() for document in policies_on(arn)},
        **{
            f"vpc endpoint {each['ServiceName'].split('.', 3)[3]}": parse(each["VpcEndpointId"], each["PolicyDocument"])
            for each in vpc_endpoints
        },
    }
