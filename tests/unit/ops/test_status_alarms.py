"""Which alarms `model-factory status` shows."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ops.operations.status import _alarms

NAMES = SimpleNamespace(prefix="acme-dev-churn", alarm=lambda purpose: f"acme-dev-churn-{purpose}")


def described(purpose, state):
    return {"AlarmName": NAMES.alarm(purpose), "StateValue": state, "Period": 3600, "EvaluationPeriods": 2}


def shown(*alarms, endpoint=None):
    return _alarms(SimpleNamespace(describe_alarms=lambda **_: {"MetricAlarms": list(alarms)}), NAMES, endpoint)


def test_only_alarms_in_alarm_are_shown():
    alarms = described("drift", "ALARM"), described("model-quality", "INSUFFICIENT_DATA"), described("x", "OK")
    assert shown(*alarms) == ["drift"]


@pytest.mark.parametrize(
    ("state", "hours", "expected"),
    [
        ("INSUFFICIENT_DATA", None, []),
        ("INSUFFICIENT_DATA", 3, []),
        ("INSUFFICIENT_DATA", 5, ["monitor-missed"]),
        ("OK", 5, []),
    ],
)
def test_missing_checks_are_shown_once_endpoint_is_old_enough(state, hours, expected):
    endpoint = {"CreationTime": datetime.now(UTC) - timedelta(hours=hours)} if hours else None
    assert shown(described("monitor-missed", state), endpoint=endpoint) == expected
