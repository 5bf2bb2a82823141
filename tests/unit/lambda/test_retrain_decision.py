"""lambda/retrain: the decision about a request, without AWS."""

from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PUSHED = "pushed 0123456789ab, delivery e1"


@pytest.fixture
def decide(modules):
    """The decision about a request of a kind with a reason, after executions as (kind, reason, status, hours ago, follow-up)."""
    loaded = modules("retrain", "decision", "shared.executions")
    decision, shared = loaded["decision"], loaded["shared.executions"]

    def execution(number, kind, reason, status, hours, follow_up=None):
        waiting = shared.Request(*follow_up) if follow_up else None
        description = shared.Description(reason, (), waiting)
        return shared.Execution(
            f"arn/{number}", status, NOON - hours * HOUR, kind, frozenset({str(number)}), description
        )

    def decide(kind, reason, *before, newest=NOON, cooldown=0.0, request="new", failures=1):
        executions = [execution(number, *each) for number, each in enumerate(before)]
        guards = decision.Guards(on_drift=True, on_quality=False, max_failures=failures, cooldown_seconds=cooldown)
        wanted = shared.Request(kind, reason, (request,))
        return decision.decide(wanted, executions, lambda _: newest, guards, NOON)

    return decide


@pytest.mark.parametrize("status", ["Executing", "Succeeded", "Failed"])
def test_delivery_that_asks_again_trains_once(decide, status):
    decided = decide("code", PUSHED, ("code", PUSHED, status, 1))
    assert (type(decided).__name__, decided.answered) == ("Nothing", True)


def test_another_delivery_trains(decide):
    assert type(decide("code", PUSHED, ("code", PUSHED.replace("e1", "e2"), "Succeeded", 1))).__name__ == "Start"
    assert type(decide("manual", PUSHED, ("code", PUSHED, "Succeeded", 1))).__name__ == "Start"


def test_request_during_training_is_remembered_once(decide):
    running = ("schedule", "nightly", "Executing", 1)
    remembered = decide("code", PUSHED, running)
    assert (remembered.execution.arn, remembered.follow_up.reason) == ("arn/0", PUSHED)
    again = decide("code", PUSHED, (*running, ("code", PUSHED, ("new",))))
    assert again.reason == "the request is remembered already"


@pytest.mark.parametrize(("hours", "skipped"), [(1, True), (2, False)])
def test_cooldown_ends_exactly_after_its_time(decide, hours, skipped):
    decided = decide("schedule", "nightly", ("schedule", "nightly", "Succeeded", hours), cooldown=7200.0)
    assert (type(decided).__name__ == "Skip") is skipped


@pytest.mark.parametrize(("newest", "expected"), [(None, "Skip"), (NOON - HOUR, "Skip"), (NOON, "Start")])
def test_schedule_needs_data_that_is_newer_than_the_last_training(decide, newest, expected):
    assert type(decide("schedule", "nightly", ("manual", "", "Succeeded", 1), newest=newest)).__name__ == expected


@pytest.mark.parametrize(("failed", "allowed", "expected"), [(1, 1, "Skip"), (1, 2, "Start"), (2, 2, "Skip")])
def test_alarms_stop_after_their_failed_trainings(decide, failed, allowed, expected):
    before = [("drift", "", "Failed", 1 + number) for number in range(failed)]
    decided = decide("drift", "drifted", *before, ("schedule", "", "Succeeded", 9), failures=allowed)
    assert type(decided).__name__ == expected
    assert type(decide("quality", "worse")).__name__ == "Skip"


def test_messages_of_one_delivery_are_one_request(modules):
    trigger = modules("retrain", "messages")["messages"].Trigger

    def ids(message_id, kind="code", model="churn", reason=PUSHED):
        return trigger(model=model, trigger=kind, reason=reason, id="1").request(message_id).ids

    assert ids("first") == ids("second")
    assert len({ids("first"), ids("first", model="loan"), ids("first", reason=PUSHED.replace("e1", "e2"))}) == 3
    assert ids("first", "manual") == ("first",)
