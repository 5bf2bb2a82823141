"""lambda/deploy: which version is served and which one challenges it, and when a trial ends."""

from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def choice(modules):
    return modules("deploy", "trial_choice")["trial_choice"]


@pytest.mark.parametrize(
    ("now", "newest", "trials", "served", "challenger"),
    [
        ({"live": None}, 2, True, 2, None),  # the first version
        ({"live": 1}, 2, False, 2, None),
        ({"live": 1}, 2, True, 1, 2),
        ({"live": 2}, 2, True, 2, None),
        ({"live": 2}, 1, True, 1, None),  # rolled back
        ({"live": 1, "challenger": 2}, 3, True, 1, 2),  # version 3 waits
        ({"live": 1, "challenger": 2, "promoted": 2}, 3, True, 1, None),  # first the variant is removed
        ({"live": 1, "promoted": 2}, 3, True, 2, None),
        ({"live": 2, "promoted": 2}, 3, True, 2, 3),
        ({"live": 1, "promoted": 2, "promotion_ended": True}, 2, True, 2, None),  # `decide` does not repeat it
        ({"live": 1, "promoted": 2, "promotion_ended": True}, 3, True, 1, 3),
        ({"live": 1, "challenger": 9}, 1, True, 1, None),  # version 9 was rejected
        ({"live": 1, "challenger": 9}, 3, True, 1, 3),  # the next one takes its place
        ({"live": 1, "challenger": 2}, 2, False, 1, None),  # trials were switched off
        ({"live": 9, "challenger": 10}, 10, True, 9, None),  # the live version was rejected: its variant first
        ({"live": 9}, 10, True, 10, None),
    ],
)
def test_choice_of_versions(choice, now, newest, trials, served, challenger):
    chosen = choice.choose(choice.Now(**now), newest, lambda version: version != 9, trials=trials)
    assert (chosen.served, chosen.challenger) == (served, challenger)


@pytest.mark.parametrize(
    ("result", "hours", "undecided", "expected"),
    [
        ("better", 1, "withdraw", ("promoted", "labels")),
        ("worse", 1, "promote", ("withdrawn", "labels")),
        (None, 1, "promote", None),
        (None, 25, "withdraw", ("withdrawn", "time limit")),
        (None, 25, "promote", ("promoted", "time limit")),
    ],
)
def test_verdict_by_labels_or_time_limit(choice, result, hours, undecided, expected):
    finding = choice.Finding(result, "12 of 200 labels", {})
    end = choice.verdict(finding, NOON, NOON + timedelta(hours=hours), 86_400, undecided)
    assert (end and (end.result, end.decided_by)) == expected
    if expected and expected[1] == "time limit":
        assert end.reason == "undecided after 1 days: 12 of 200 labels"


def test_trial_without_finding_names_the_monitor(choice):
    end = choice.verdict(None, NOON, NOON + timedelta(days=8), 7 * 86_400, "withdraw")
    assert end.reason == "undecided after 7 days: the monitor has not compared the versions"
