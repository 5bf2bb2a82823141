"""Deliveries of EventBridge rules: refused rules and targets, failing targets, dead-letter queues."""

import json
from types import SimpleNamespace

import pytest
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventsBackend, events_backends
from moto.sqs.models import SQSBackend, sqs_backends

from local_aws import events
from local_aws.authorization import AccessDeniedError

ACCOUNT, REGION = "123456789012", "us-east-1"
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders"


class Authorization:
    """Denies what a test names."""

    def __init__(self):
        self.denied = set()

    def check_call(self, principal, service, operation, params, region, keys=None):
        if params["QueueUrl"].rpartition("/")[2] in self.denied:
            raise AccessDeniedError("not authorized")


@pytest.fixture
def authorization(monkeypatch):
    found = Authorization()
    local = SimpleNamespace(replace=monkeypatch.setattr, authorization=found, endpoint_url="http://localhost")
    events.install(local)
    return found


@pytest.fixture
def bus(authorization, monkeypatch):
    monkeypatch.setitem(events_backends[ACCOUNT], REGION, EventsBackend(REGION, ACCOUNT))
    monkeypatch.setitem(sqs_backends[ACCOUNT], REGION, SQSBackend(REGION, ACCOUNT))
    for name in ("first", "second", "dead"):
        sqs_backends[ACCOUNT][REGION].create_queue(name)
    return events_backends[ACCOUNT][REGION]


def target(name, **more):
    return {"Id": name, "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", **more}


def dead_letters():
    return {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"}}


def rule(bus, *targets, pattern='{"source": ["shop"]}', **more):
    bus.put_rule("orders", event_pattern=pattern, **more)
    bus.put_targets("orders", None, list(targets))


def put(bus):
    entry = {"Source": "shop", "DetailType": "Order", "Detail": '{"number": 7}', "Time": 1764000000}
    return bus.put_events([entry])


def bodies(name):
    return [json.loads(message.body) for message in sqs_backends[ACCOUNT][REGION].queues[name]._messages]


def attributes(name):
    message = sqs_backends[ACCOUNT][REGION].queues[name]._messages[0]
    return {key: found["StringValue"] for key, found in message.message_attributes.items()}


def test_put_rule_refuses_unknown_operator(bus):
    with pytest.raises(InvalidEventPatternException) as refusal:
        bus.put_rule("orders", event_pattern='{"detail": {"state": [{"anything_but": "OK"}]}}')
    assert refusal.value.message == "Event pattern is not valid. Reason: Unrecognized match type anything_but"
    assert not bus.describe_event_bus("default").rules


@pytest.mark.parametrize("expression", ["rate(1 hours)", "rate(2 hour)", "rate(0 minutes)", "cron(71 8 1 * ? *)"])
def test_put_rule_refuses_invalid_schedule(bus, expression):
    with pytest.raises(ValidationException, match=r"Parameter ScheduleExpression is not valid\."):
        bus.put_rule("nightly", scheduled_expression=expression)


def test_put_targets_refuses_undefined_placeholder(bus):
    with pytest.raises(ValidationException, match="InputTemplate for target first contains invalid placeholder order"):
        rule(bus, target("first", InputTransformer={"InputTemplate": '"<order>"'}))


def test_delivered_event_has_documented_envelope(bus):
    rule(bus, target("first"))
    put(bus)
    (event,) = bodies("first")
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Order",
        "source": "shop",
        "account": ACCOUNT,
        "time": "2025-11-24T16:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {"number": 7},
    }


@pytest.mark.parametrize("more", [{"state": "DISABLED"}, {"pattern": None, "scheduled_expression": "rate(1 hour)"}])
def test_disabled_and_scheduled_rules_receive_no_event(bus, more):
    rule(bus, target("first"), **more)
    put(bus)
    assert bodies("first") == []


def test_refused_delivery_becomes_dead_letter_with_attributes(bus, authorization):
    authorization.denied = {"first"}
    rule(bus, target("first", **dead_letters()), target("second"))
    assert "EventId" in put(bus)[0]
    assert [event["detail"] for event in bodies("dead")] == [{"number": 7}]
    assert bodies("second") == bodies("dead")
    assert attributes("dead") == {
        "RULE_ARN": RULE_ARN,
        "TARGET_ARN": target("first")["Arn"],
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "not authorized",
    }


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (target("gone"), "NO_RESOURCE"),
        (target("first", InputTransformer={"InputTemplate": "no quotes"}), "INVALID_JSON"),
        (target("first", SqsParameters={"MessageGroupId": "g"}), "INVALID_PARAMETER"),
    ],
)
def test_failing_target_breaks_neither_put_events_nor_other_targets(bus, monkeypatch, broken, code):
    if code == "INVALID_PARAMETER":
        sqs_backends[ACCOUNT][REGION].create_queue("first.fifo", FifoQueue="true")
        broken = broken | {"Arn": f"{broken['Arn']}.fifo"}
    rule(bus, broken | dead_letters(), target("second"))
    assert "EventId" in put(bus)[0]
    assert len(bodies("second")) == 1
    assert attributes("dead")["ERROR_CODE"] == code


def test_retries_end_with_retry_policy(bus, monkeypatch):
    tried = []
    monkeypatch.setattr(events, "_deliver", lambda *_: tried.append(1) or 1 / 0)
    rule(bus, target("first", RetryPolicy={"MaximumRetryAttempts": 2}, **dead_letters()))
    put(bus)
    assert len(tried) == 3
    found = attributes("dead")
    assert (found["EXHAUSTED_RETRY_CONDITION"], found["RETRY_ATTEMPTS"]) == ("MaximumRetryAttempts", "2")


def test_lost_dead_letter_breaks_nothing(bus, authorization):
    authorization.denied = {"first", "dead"}
    rule(bus, target("first", **dead_letters()), target("second"))
    put(bus)
    assert (bodies("dead"), len(bodies("second"))) == ([], 1)


def test_rule_that_changes_during_delivery_breaks_nothing(bus, monkeypatch):
    rule(bus, target("first"))
    monkeypatch.setattr(events, "_deliver", lambda *_: bus.put_rule("new", event_pattern='{"source": ["other"]}'))
    assert "EventId" in put(bus)[0]
