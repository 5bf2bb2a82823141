"""What policies allow: named actions on named resources, for this account, within the boundary."""

import json
import re
from collections import Counter

import pytest

from local_aws.authorization.reference import action_name, resource_types
from model_factory.core.permissions import WITHOUT_RESOURCE
from tools.policy_statements import as_list, open_statements, statements

from .conftest import Template

ACCOUNTS = {"dev": "111111111111", "prod": "333333333333", "vault": "444444444444", "shared": "555555555555"}
# Lambda says neither its account nor an ARN when it takes on a function's role; the chat service's role has no permissions.
SAYS_NOTHING_ABOUT_ITSELF = ("lambda.amazonaws.com", "chatbot.amazonaws.com")


@pytest.fixture(scope="session")
def allowed(templates):
    """Every statement that allows something: template, resource type, statement.

    Not those of a factory that is delivered: CDK Pipelines writes most of them, and its environments trust the pipeline.
    """
    ours = [path for path in templates if "delivered" not in path.parts]
    found = [(p.name, kind, s) for p in ours for _, kind, s in statements(p) if s["Effect"] == "Allow"]
    assert len(found) > 300
    return found


def account_of(template: str) -> str:
    return ACCOUNTS[template.split("-")[1]]


def test_no_allowed_action_is_a_wildcard(allowed):
    assert [each for each in allowed if any("*" in action for action in as_list(each[2]["Action"]))] == []


def test_every_allowed_action_is_one_that_aws_has(allowed):
    actions = {action for _, _, statement in allowed for action in as_list(statement["Action"])}
    assert len(actions) > 80
    assert sorted(action for action in actions if action_name(*action.split(":")) != action) == []


def test_a_resource_is_a_bare_wildcard_only_where_a_reason_is_written_down(templates):
    ours = [path for path in templates if path.name != "acme-delivery.template.json"]  # CDK Pipelines writes that one
    assert {action for actions in open_statements(ours) for action in actions} == set(WITHOUT_RESOURCE)


@pytest.mark.parametrize("action", sorted(WITHOUT_RESOURCE))
def test_aws_lets_none_of_them_name_a_resource(action):
    kinds, reason = resource_types(action), WITHOUT_RESOURCE[action]
    assert not any(kind.required for kind in kinds)
    assert all(kind.name in reason for kind in kinds), "says of each resource that it could be about why it is not"
    assert len(reason) > 30


def test_services_take_on_roles_for_this_account_and_kind_of_resource_only(allowed):
    trusts = [each for each in allowed if each[2]["Action"] == "sts:AssumeRole"]
    assert len(trusts) > 40
    for template, _, trust in trusts:
        if trust["Principal"]["Service"] not in SAYS_NOTHING_ABOUT_ITSELF:
            account = account_of(template)
            assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == account
            assert f":{account}:" in trust["Condition"]["ArnLike"]["aws:SourceArn"]


def test_resource_policies_open_nothing_to_other_accounts(allowed):
    policies = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key")
    # The anchor is there for other accounts, each for its own copies (test_record_signer.py).
    found = [each for each in allowed if each[1] in policies and "-anchor." not in each[0]]
    assert {kind for _, kind, _ in found} == set(policies)
    for template, kind, statement in found:
        account, condition = account_of(template), json.dumps(statement.get("Condition", {}))
        if "AWS" in statement["Principal"]:
            assert statement["Principal"]["AWS"] == f"arn:aws:iam::{account}:root", kind
        else:
            assert set(statement["Principal"]) == {"Service"}
            # EventBridge sends topics no key that a condition could use.
            rules_to_topic = kind == "AWS::SNS::TopicPolicy" and statement["Principal"] == {
                "Service": "events.amazonaws.com"
            }
            assert account in condition or rules_to_topic, f"{kind} in {template}: {statement}"


def test_roles_are_passed_to_sagemaker_and_nothing_else(allowed):
    passing = [each[2] for each in allowed if "iam:PassRole" in as_list(each[2]["Action"])]
    assert len(passing) > 10
    for statement in passing:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert "*" not in as_list(statement["Resource"])


def test_the_permissions_boundary_of_factory_yaml_is_on_every_role(templates):
    """Roles that the CDK adds as well. Without a boundary in factory.yaml there is none: `dev` and `shared`."""
    count = Counter()
    for path in templates:
        bound = not re.search("acme-(dev|shared)", path.name)
        for role in Template(path).all("IAM::Role"):
            boundary = json.dumps(role.get("PermissionsBoundary", ""))
            assert ("policy/Bounds" in boundary) == bound, (path.name, role.get("RoleName"), role.get("Description"))
            count[path.parent.parent.name if bound else "without"] += 1
    assert count["without"] > 20
    assert sum(count.values()) - count["without"] > 60


def test_names_in_iam_end_with_the_region(templates):
    """IAM has one namespace for all regions of an account: without the region a factory could not be in two of them."""
    codes = {"dev": "euw1", "prod": "use1", "vault": "euc1", "shared": "euw1", "test": "euw1", "live": "euc1"}
    named = [
        (re.search("acme-?(dev|prod|vault|shared|test|live|delivery)", path.name)[1], role["RoleName"])
        for path in templates
        for role in Template(path).all("IAM::Role")
        if "RoleName" in role
    ]
    assert len(named) > 60
    assert [name for where, name in named if not name.endswith(f"-{codes.get(where, 'euw1')}")] == []
    for path in templates:
        assert not any("ManagedPolicyName" in each for each in Template(path).all("IAM::ManagedPolicy"))
