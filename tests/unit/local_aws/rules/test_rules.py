"""Every entry of the register judges its own two examples."""

import re

import pytest

from local_aws.rules import register

RULES = list(register.enforced())
OPERATIONS = [rule for rule in RULES if "::" not in rule.operation]


def name(rule):
    return f"{rule.service}-{rule.operations[0]}-{rule.code}"


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_rule_accepts_one_example_and_refuses_other(rule):
    assert rule.violation(rule.example(rule.accepted)) is None
    refused = rule.violation(rule.example(rule.refused, **rule.sent_refused))
    assert refused is not None
    assert refused.code == rule.code
    assert not re.search(r"\{\w+\}", refused.message)  # every value of the message is filled in


def test_entries_state_rule_and_source_in_words():
    for entry in register.ENTRIES:
        assert entry.says.endswith("."), entry
        assert entry.source, entry


def test_no_rule_is_written_twice():
    said = [(entry.service, entry.operation, entry.says) for entry in register.ENTRIES]
    assert sorted(set(said)) == sorted(said)
