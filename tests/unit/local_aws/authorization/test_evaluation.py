"""Policy evaluation, after AWS's documented logic and its examples."""

import pytest

from local_aws.authorization.conditions import Context, UnknownConditionError
from local_aws.authorization.evaluation import Policies, Request, evaluate
from local_aws.authorization.policies import InvalidPolicyError, Principal, parse

from .conftest import allow, deny, document

ROLE = "arn:aws:iam::111122223333:role/jobs/train"
SESSION = "arn:aws:sts::111122223333:assumed-role/train/run"
CALLER = Principal(SESSION, "111122223333", ROLE)
OBJECT = "arn:aws:s3:::data/fraud/raw/part.csv"
NOTHING = Context.of({}, ["aws:SourceAccount"])


def policy(*statements, name="p"):
    return (parse(name, document(*statements)),)


def verdict(action="s3:GetObject", arn=OBJECT, account=None, context=NOTHING, principal=CALLER, **policies):
    return evaluate(Request(principal, action, arn, context, account), Policies(**policies))


# Inside one account


def test_default_decision_is_implicit_deny():
    decision = verdict()
    assert not decision.allowed
    assert decision.reason == "because no identity-based policy allows the s3:GetObject action"


def test_allow_statement_is_named_in_decision():
    decision = verdict(identity=policy(allow("s3:GetObject", "arn:aws:s3:::data/*", Sid="ReadData")))
    assert decision.allowed
    assert [(s.source, s.sid) for s in decision.statements] == [("p", "ReadData")]


@pytest.mark.parametrize(
    ("actions", "resources"),
    [("s3:PutObject", "*"), ("s3:GetObject", "arn:aws:s3:::other/*"), ("s3:GetObjectTagging", "*")],
)
def test_allow_for_other_action_or_resource_does_not_match(actions, resources):
    assert not verdict(identity=policy(allow(actions, resources))).allowed


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("identity", "an identity-based policy"),
        ("boundary", "a permissions boundary"),
        ("session", "a session policy"),
        ("resource", "a resource-based policy"),
    ],
)
def test_explicit_deny_always_wins(place, words):
    everything = allow("*", "*", Principal="*")
    policies = {kind: policy(everything) for kind in ("identity", "boundary", "session", "resource")}
    policies[place] = policy(everything, deny("s3:GetObject", "*", Principal="*"))
    decision = verdict(**policies)
    assert (decision.allowed, decision.reason) == (False, f"with an explicit deny in {words}")


@pytest.mark.parametrize(("limit", "words"), [("boundary", "permissions boundary"), ("session", "session policy")])
def test_boundary_and_session_limit_what_identity_allows(limit, words):
    granted = policy(allow(["s3:GetObject", "s3:PutObject"], "*"))
    limits = {limit: policy(allow("s3:PutObject", "*"))}
    assert verdict("s3:PutObject", identity=granted, **limits).allowed
    decision = verdict("s3:GetObject", identity=granted, **limits)
    assert decision.reason == f"because no {words} allows the s3:GetObject action"


def test_boundary_alone_grants_nothing():
    assert not verdict(boundary=policy(allow("*", "*"))).allowed


# (who the resource's policy names, whether that suffices alone, whether an implicit deny of boundary limits it)
@pytest.mark.parametrize(
    ("named", "alone", "limited"),
    [
        ({"AWS": SESSION}, True, False),
        ({"AWS": ROLE}, True, True),
        ("*", True, True),
        ({"AWS": "111122223333"}, False, True),
        ({"AWS": "arn:aws:iam::111122223333:root"}, False, True),
        ({"AWS": "arn:aws:iam::111122223333:role/other"}, False, True),
        ({"Service": "lambda.amazonaws.com"}, False, True),
    ],
)
def test_resource_policy_effect_depends_on_named_principal(named, alone, limited):
    resource = policy(allow("s3:GetObject", "*", Principal=named))
    assert verdict(resource=resource).allowed is alone
    assert verdict(resource=resource, boundary=policy(allow("sqs:SendMessage", "*"))).allowed is (alone and not limited)


# Keys and roles to assume: the resource's policy decides

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"


def key_verdict(resource=(), identity=()):
    return verdict("kms:Decrypt", KEY, identity=identity, resource=resource, resource_decides=True)


def test_key_policy_without_account_ignores_identity_policies():
    decision = key_verdict(identity=policy(allow("kms:Decrypt", KEY)))
    assert decision.reason == "because no resource-based policy allows the kms:Decrypt action"


def test_key_policy_with_account_uses_identity_policies():
    delegating = policy(allow("kms:*", "*", Principal={"AWS": "arn:aws:iam::111122223333:root"}))
    assert key_verdict(delegating, policy(allow("kms:Decrypt", KEY))).allowed
    assert key_verdict(delegating).reason == "because no identity-based policy allows the kms:Decrypt action"


def test_key_policy_naming_role_allows_alone():
    assert key_verdict(policy(allow("kms:Decrypt", "*", Principal={"AWS": ROLE}))).allowed


# Across accounts


@pytest.mark.parametrize("named", [{"AWS": ROLE}, {"AWS": SESSION}, {"AWS": "111122223333"}, "*"])
def test_cross_account_call_requires_both_policies(named):
    identity_policy, resource_policy = (
        policy(allow("s3:GetObject", "*")),
        policy(allow("s3:GetObject", "*", Principal=named)),
    )
    assert verdict(account="444455556666", identity=identity_policy, resource=resource_policy).allowed
    assert not verdict(account="444455556666", identity=identity_policy).allowed
    assert not verdict(account="444455556666", resource=resource_policy).allowed


def test_root_of_other_account_is_not_the_caller():
    resource_policy = policy(allow("s3:GetObject", "*", Principal={"AWS": "arn:aws:iam::444455556666:root"}))
    assert not verdict(account="444455556666", identity=policy(allow("*", "*")), resource=resource_policy).allowed


# Services as callers


def test_service_requires_resource_policy_with_source_conditions():
    events = Principal("events.amazonaws.com")
    statement = allow(
        "sqs:SendMessage",
        "*",
        Principal={"Service": "events.amazonaws.com"},
        Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}},
    )

    def send(account):
        context = Context.of({"aws:SourceAccount": account})
        queue = "arn:aws:sqs:us-east-1:111122223333:q"
        return verdict("sqs:SendMessage", queue, context=context, principal=events, resource=policy(statement)).allowed

    assert send("111122223333")
    assert not send("444455556666")
    assert not verdict("sqs:SendMessage", principal=Principal("sns.amazonaws.com"), resource=policy(statement)).allowed


# The other elements


def test_not_action_and_not_resource_match_complement():
    identity = policy({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::secret/*"})
    assert verdict(identity=identity).allowed
    assert not verdict("iam:PassRole", ROLE, identity=identity).allowed
    assert not verdict(arn="arn:aws:s3:::secret/x", identity=identity).allowed


def test_not_principal_exempts_only_fully_named_principal():
    def decided(named):
        guarded = policy({"Effect": "Deny", "NotPrincipal": {"AWS": named}, "Action": "s3:*", "Resource": "*"})
        return verdict(identity=policy(allow("s3:*", "*")), resource=guarded).allowed

    assert decided([ROLE, SESSION, "111122223333"])
    assert not decided([ROLE])  # IAM wants the session and the account named, too
    assert not decided(["arn:aws:iam::111122223333:role/other"])


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("arn:aws:s3:::data/*", True),
        ("arn:aws:s3:::data/fraud/raw/part.???", True),
        ("arn:aws:s3:::d*", True),
        ("arn:aws:s3:::data", False),
        ("arn:aws:*:data/fraud/raw/part.csv", False),  # a star stays inside its part of the ARN
        ("arn:*:s3:::data/*", True),
        ("arn:aws:s3", True),  # IAM completes an incomplete ARN with stars
        ("arn:aws:sqs", False),
        ("arn:aws:s3:::DATA/*", False),
        ("*", True),
    ],
)
def test_wildcards_in_resources(pattern, matches):
    assert verdict(identity=policy(allow("s3:GetObject", pattern))).allowed is matches


@pytest.mark.parametrize("action", ["S3:getobject", "s3:Get*", "s3:GetObjec?", "*"])
def test_actions_match_case_insensitively_with_wildcards(action):
    assert verdict(identity=policy(allow(action, "*"))).allowed


def test_policy_variables_are_replaced_in_resources():
    identity = policy(allow("s3:GetObject", "arn:aws:s3:::data/${aws:PrincipalTag/team, 'none'}/*"))
    assert verdict(identity=identity, context=Context.of({"aws:PrincipalTag/team": "fraud"})).allowed
    assert not verdict(identity=identity, context=Context.of({"aws:PrincipalTag/team": None})).allowed
    without_default = policy(allow("s3:GetObject", "arn:aws:s3:::data/${aws:PrincipalTag/team}*"))
    assert not verdict(identity=without_default, context=Context.of({"aws:PrincipalTag/team": None})).allowed


def test_variable_value_is_not_a_pattern():
    identity = policy(allow("s3:GetObject", "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"))
    assert not verdict(identity=identity, context=Context.of({"aws:PrincipalTag/team": "*"})).allowed


def test_literal_star_is_not_a_wildcard():
    identity = policy(allow("s3:GetObject", "arn:aws:s3:::data/${*}"))
    assert not verdict(identity=identity).allowed
    assert verdict(identity=identity, arn="arn:aws:s3:::data/*").allowed


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Effect": "Allow", "Action": "*", "Ressource": "*"}, "unknown elements ['Ressource']"),
        ({"Effect": "Maybe", "Action": "*", "Resource": "*"}, "needs an Effect"),
        ({"Effect": "Allow", "Resource": "*"}, "one of Action and NotAction"),
    ],
)
def test_invalid_statement_error_names_statement(statement, words):
    with pytest.raises(InvalidPolicyError) as error:
        parse("role/inline", document({"Sid": "Mine", **statement}))
    assert "policy role/inline, statement Mine" in str(error.value)
    assert words in str(error.value)


def test_unknown_condition_key_error_names_statement():
    identity = policy(allow("s3:GetObject", "*", Sid="Mine", Condition={"Bool": {"aws:Moonlight": "true"}}))
    with pytest.raises(UnknownConditionError, match=r"policy p, statement Mine: condition key aws:Moonlight"):
        verdict(identity=identity)
