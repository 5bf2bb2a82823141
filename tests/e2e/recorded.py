"""What the gate decided while the tests ran, and what it would have decided with one permission less."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from local_aws.authorization.evaluation import Decision, Policies, Request, evaluate
from local_aws.authorization.policies import Document, Statement, parse


@dataclass(frozen=True)
class Permission:
    """One action, or one resource, of one statement of a role; `part` says which of the two."""

    role: str
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

    def of(self, principal: str) -> list[tuple[Request, Policies]]:
        """The requests of a role (its ARN) or of a service (its host name)."""
        return [found for key, found in list(self.kept.items()) if key[0] == principal]

    def needs(self, role_arn: str, document: Document, permission: Permission) -> bool:
        """Whether a recorded request of the role would be denied if its policy were `document` without `permission`."""
        less = without(document, permission)
        return any(
            evaluate(request, replace(policies, identity=(document,))).allowed
            and not evaluate(request, replace(policies, identity=(less,))).allowed
            for request, policies in self.of(role_arn)
        )


def permissions(role: str, document: Document) -> Iterator[Permission]:
    """Every action and every resource of every statement."""
    for index, statement in enumerate(document.statements):
        for action in statement.actions:
            yield Permission(role, index, "action", action)
        for resource in statement.resources if len(statement.resources) > 1 else ():
            yield Permission(role, index, "resource", resource)


def without(document: Document, permission: Permission) -> Document:
    """The policy less one action or one resource; a statement that is left without actions goes."""
    statements = list(document.statements)
    statement = statements[permission.statement]
    if permission.part == "action":
        statement = replace(statement, actions=tuple(a for a in statement.actions if a != permission.value))
    else:
        statement = replace(statement, resources=tuple(r for r in statement.resources if r != permission.value))
    kept: list[Statement] = [statement] if statement.actions else []
    statements[permission.statement : permission.statement + 1] = kept
    return Document(document.name, tuple(statements))


def deployed_roles(iam: Any, prefix: str) -> dict[str, tuple[str, Document]]:
    """Roles whose name starts with `prefix`: what follows it -> ARN and policy."""
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role for page in pages for role in page["Roles"] if role["RoleName"].startswith(prefix)]
    return {role["RoleName"].removeprefix(prefix): (role["Arn"], policy_of(iam, role["RoleName"])) for role in roles}


def policy_of(iam: Any, name: str) -> Document:
    """The one inline policy of a role of the factory."""
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    content = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return parse(f"{name}/{policy}", json.dumps(content))
