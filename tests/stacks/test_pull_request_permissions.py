"""What code of a pull request could reach with the role of its build: nothing that a delivery reads."""

import json
from typing import Any

import pytest

from .conftest import Template

# Encryption writes nothing: reading what was encrypted takes permission for the bucket as well.
NOT_STORED = ("kms:",)


@pytest.fixture(scope="module")
def template(synthesized) -> Template:
    return Template(synthesized / "delivered" / "acme-delivery.template.json")


def roles(template: Template, part: str, *, inside: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Statements by logical id of a role, of the roles with (or without) `part` in their id."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, resource in template.resources.items():
        if resource["Type"] == "AWS::IAM::Role" and (part in name) == inside:
            inline = resource["Properties"].get("Policies", [])
            found[name] = [s for policy in inline for s in policy["PolicyDocument"]["Statement"]]
    for resource in template.resources.values():
        if resource["Type"] == "AWS::IAM::Policy":
            for role in resource["Properties"]["Roles"]:
                if role["Ref"] in found:
                    found[role["Ref"]] += resource["Properties"]["PolicyDocument"]["Statement"]
    return found


def resources(statements: list[dict[str, Any]], *, read: bool) -> set[str]:
    """Resources, below them as well, that statements let somebody read, or write, delete or start."""
    found: set[str] = set()
    for statement in statements:
        named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        named = [action for action in named if not action.startswith(NOT_STORED)]
        reads = [action.partition(":")[2].startswith(("Get", "List", "BatchGet", "Describe")) for action in named]
        if any(reads) if read else not all(reads):
            targets = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            found |= {json.dumps(target).replace('"/*"', '""') for target in targets}
    return {_base(each) for each in found}


def _base(resource: str) -> str:
    """The bucket of an object's ARN, and the resource itself otherwise."""
    value = json.loads(resource)
    if isinstance(value, dict) and "Fn::Join" in value:
        parts = [part for part in value["Fn::Join"][1] if part]
        value = parts[0] if len(parts) == 1 else value
    return json.dumps(value)


def test_pull_requests_cannot_write_what_deliveries_read(template):
    (tests,) = (s for role, s in roles(template, "PullRequestsTestRole").items())
    written = resources(tests, read=False)
    assert not any(each == '"*"' for each in written)
    deliveries = roles(template, "PullRequests", inside=False)
    assert len(deliveries) > 8, "the build, the pipeline, its actions and the function"
    for role, statements in deliveries.items():
        assert not written & resources(statements, read=True), role
    assert any("Tests" in each for each in written)


def test_pull_requests_and_deliveries_share_no_build_cache(template):
    caches = {
        name: resource["Properties"].get("Cache", {}).get("Location")
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::CodeBuild::Project"
    }
    (tests,) = (json.dumps(cache) for name, cache in caches.items() if "PullRequests" in name)
    others = [json.dumps(cache) for name, cache in caches.items() if "PullRequests" not in name and cache]
    assert others
    assert tests not in others


def test_pull_requests_reach_no_role_secret_or_repository(template):
    (tests,) = (s for role, s in roles(template, "PullRequestsTestRole").items())
    actions = {a for s in tests for a in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]])}
    assert {action.partition(":")[0] for action in actions} == {"s3", "kms", "logs", "codebuild"}
    own = [s for s in tests if "logs:" in json.dumps(s["Action"]) or "codebuild:" in json.dumps(s["Action"])]
    assert all("PullRequestsTest" in json.dumps(s["Resource"]) for s in own)
    projects = {n: r["Properties"] for n, r in template.resources.items() if r["Type"] == "AWS::CodeBuild::Project"}
    (project,) = (properties for name, properties in projects.items() if name.startswith("PullRequestsTest"))
    assert "EnvironmentVariables" not in project["Environment"]
    assert project["Environment"]["PrivilegedMode"] is False
    assert "Triggers" not in project


def test_pull_request_pipeline_starts_its_own_build_only(template):
    statements = [s for some in roles(template, "PullRequestsPipeline").values() for s in some]
    started = [s for s in statements if "codebuild:StartBuild" in s["Action"]]
    assert [s["Resource"]["Fn::GetAtt"][0].startswith("PullRequestsTest") for s in started] == [True]
