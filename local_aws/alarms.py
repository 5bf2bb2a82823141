"""Evaluation of CloudWatch alarms: on new metric data, by the clock, when they are created, and on demand.

An alarm's clock is the newest datapoint of its metrics (or the time given to `POST /_local/alarms`) and goes on from there
with the wall clock, so that tests can replay a week of datapoints; on AWS it is the wall clock.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from . import deliveries
from .cloudwatch import composites
from .cloudwatch.evaluation import judge, refusal
from .cloudwatch.metric_math import MathError
from .cloudwatch.notices import configuration, trigger
from .cloudwatch.queries import Key, check, key_of_datum, keys_of, values
from .events import emit
from .interfaces import EmbeddedAws
from .scaling.policies import SCALING_POLICY, act

log = logging.getLogger(__name__)
CLOCK_SECONDS = 60
"""CloudWatch evaluates an alarm every minute."""
STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_lock = threading.RLock()
"""Reentrant: a changed alarm changes the composite alarms that name it."""


def evaluate(
    local: EmbeddedAws, account: str, region: str, now: datetime, names: Iterable[str] | None = None
) -> list[str]:
    """Evaluate the alarms called `names` (default: all) as of `now`; returns the names of those whose state changed."""
    backend = cloudwatch_backends[account][region]
    return [
        alarm.name
        for alarm in list(backend.alarms.values())
        if (names is None or alarm.name in names) and _evaluate(local, backend, alarm, now)
    ]


def _evaluate(local: EmbeddedAws, backend: CloudWatchBackend, alarm: Any, now: datetime) -> bool:
    if alarm.rule is not None:
        return False
    with _lock:
        alarm.clock = (now, time.monotonic())
        state, reason, data = judge(alarm, values(alarm, lambda key: _data(backend, key), now), now)
        if state == alarm.state_value:
            return False
        _change(local, backend.account_id, backend.region_name, alarm, state, reason, data)
    return True


def evaluate_by_clock(local: EmbeddedAws) -> None:
    """Evaluate every alarm as of its own clock."""
    for backend in _backends():
        for alarm in list(backend.alarms.values()):
            try:
                _evaluate(local, backend, alarm, _clock(alarm))
            except Exception:
                log.exception("alarm %s", alarm.name)


def _backends() -> Iterator[CloudWatchBackend]:
    for regions in list(cloudwatch_backends.values()):
        yield from list(regions.values())


def _data(backend: CloudWatchBackend, key: Key) -> list[Any]:
    namespace, name, dimensions = key
    return [
        datum
        for datum in backend.get_all_metrics()
        if (datum.namespace, datum.name) == (namespace, name)
        and {(d.name, d.value) for d in datum.dimensions} == dimensions
    ]


def _evaluate_composites(local: EmbeddedAws, backend: CloudWatchBackend, changed: Any) -> None:
    for alarm in composites.naming(backend.alarms, changed.name):
        state, reason, data = composites.judge(alarm, backend.alarms, changed)
        if state != alarm.state_value:
            _change(local, backend.account_id, backend.region_name, alarm, state, reason, data)


def _change(
    local: EmbeddedAws, account: str, region: str, alarm: Any, state: str, reason: str, data: dict[str, Any]
) -> None:
    previous = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": _stamp(alarm.state_updated_timestamp),
    }
    alarm.update_state(reason, json.dumps(data), state)
    now = _stamp(datetime.now(UTC))
    detail = {
        "alarmName": alarm.name,
        "configuration": configuration(alarm),
        "previousState": previous,
        "state": {"value": state, "reason": reason, "reasonData": json.dumps(data), "timestamp": now},
    }
    local.changed()
    emit(account, region, "aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm.alarm_arn])
    _evaluate_composites(local, cloudwatch_backends[account][region], alarm)
    actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(state, alarm.insufficient_data_actions)
    if not alarm.actions_enabled:
        return
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": state,
        "NewStateReason": reason,
        "OldStateValue": previous["value"],
        "StateChangeTime": now,
        "AlarmArn": alarm.alarm_arn,
        **trigger(alarm),
    }
    for action in actions or []:
        if SCALING_POLICY in action:
            threading.Thread(target=act, args=(local, account, region, action), daemon=True).start()
        if ":sns:" in action:
            subject = f'{state}: "{alarm.name}"'[:100]
            content = {"TopicArn": action, "Subject": subject, "Message": json.dumps(message)}
            try:
                if deliveries.check(local, deliveries.CLOUDWATCH, alarm.alarm_arn, "sns", "Publish", content, region):
                    local.accounts.client("sns", account, region).publish(**content)
            except Exception:  # 'nor does it detect errors resulting from an attempt to invoke nonexistent actions'
                log.exception("alarm %s, action %s", alarm.name, action)


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def install(local: EmbeddedAws) -> None:
    """Give alarms the states of CloudWatch; serve `POST /_local/alarms {account, region, time?}`."""
    _install_puts(local)
    local.replace(CloudWatchResponse, "describe_alarms", _describe_by_state_too)
    CloudWatchResponse.put_composite_alarm = _put_composite_alarm  # ty: ignore[missing-attribute]

    def control(body: dict[str, Any]) -> Any:
        as_of = datetime.fromisoformat(body["time"]) if body.get("time") else datetime.now(UTC)
        return evaluate(local, body["account"], body["region"], as_of)

    local.control("alarms", control)
    local.stores.add("alarms", lambda: (time.monotonic(), time.time()), _restore_clocks)
    stop = threading.Event()
    local.on_stop(stop.set)

    def tick() -> None:
        while not stop.wait(CLOCK_SECONDS):
            evaluate_by_clock(local)

    threading.Thread(target=tick, name="alarms", daemon=True).start()


def _install_puts(local: EmbeddedAws) -> None:
    put_data, put_alarm, set_state = (
        CloudWatchBackend.put_metric_data,
        CloudWatchBackend.put_metric_alarm,
        CloudWatchBackend.set_alarm_state,
    )

    def put_data_and_evaluate(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        put_data(self, namespace, metric_data)
        for alarm in list(self.alarms.values()):
            if relevant := [datum for datum in metric_data if key_of_datum(namespace, datum) in keys_of(alarm)]:
                newest = _newest(relevant)
                arguments = (local, self.account_id, self.region_name, newest, [alarm.name])
                threading.Thread(target=evaluate, args=arguments, daemon=True).start()

    def put_alarm_and_evaluate(self: Any, name: str, *arguments: Any, **more: Any) -> Any:
        _refuse_unsupported(name, more)
        before = self.alarms.get(name)
        alarm: Any = put_alarm(self, name, *arguments, **more)
        _check(self, alarm, before)
        if before:  # An update leaves the state and its history.
            for key in ("history", "state_value", "state_reason", "state_reason_data", "state_updated_timestamp"):
                setattr(alarm, key, getattr(before, key))
        else:
            alarm.state_value = "INSUFFICIENT_DATA"
        if hasattr(before, "clock"):
            alarm.clock = before.clock
        if alarm.rule is None:
            _evaluate(local, self, alarm, _clock(alarm))
            return alarm
        with _lock:
            state, reason, data = composites.judge(alarm, self.alarms, None)
            if state != alarm.state_value:
                _change(local, self.account_id, self.region_name, alarm, state, reason, data)
        return alarm

    def set_state_and_act(self: Any, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        alarm = self.alarms.get(alarm_name)
        if alarm is None or state_value not in STATES or alarm.state_value == state_value:
            set_state(self, alarm_name, reason, reason_data, state_value)
            return
        data = json.loads(reason_data or "{}")
        with _lock:
            _change(local, self.account_id, self.region_name, alarm, state_value, reason, data)

    local.replace(CloudWatchBackend, "put_metric_data", put_data_and_evaluate)
    local.replace(CloudWatchBackend, "put_metric_alarm", put_alarm_and_evaluate)
    local.replace(CloudWatchBackend, "set_alarm_state", set_state_and_act)


def _refuse_unsupported(name: str, request: dict[str, Any]) -> None:
    """Raise ValidationError for alarms that are not evaluated here: one that stays in its state says that all is well."""
    if request.get("threshold_metric_id"):
        raise ValidationError(
            f"the embedded AWS does not support alarms on anomaly detection (ThresholdMetricId), such as {name}"
        )


def _put_composite_alarm(self: CloudWatchResponse) -> Any:
    """PutCompositeAlarm, which moto does not have and whose rule its alarms have."""
    if self._get_param("ActionsSuppressor"):
        raise ValidationError("the embedded AWS does not support ActionsSuppressor of composite alarms")
    return self.put_metric_alarm()


def _check(backend: Any, alarm: Any, before: Any) -> None:
    """Undo PutMetricAlarm or PutCompositeAlarm, and raise, where CloudWatch refuses it."""
    try:
        if alarm.metric_data_queries:
            check(alarm)
        sentence = refusal(alarm) if alarm.rule is None else composites.refusal(alarm, backend.alarms)
    except MathError as error:
        sentence = f"{alarm.name}: {error}"
    if sentence:
        backend.alarms.pop(alarm.name)
        if before:
            backend.alarms[alarm.name] = before
        raise ValidationError(sentence)


def _clock(alarm: Any) -> datetime:
    seen, since = getattr(alarm, "clock", (datetime.now(UTC), time.monotonic()))
    return seen + timedelta(seconds=time.monotonic() - since)


def _restore_clocks(kept: tuple[float, float]) -> None:
    """Let kept clocks go on from where they were; the monotonic clock of another process has another zero."""
    monotonic, wall = kept
    alarms: list[Any] = [alarm for backend in _backends() for alarm in backend.alarms.values()]
    for alarm in alarms:
        if hasattr(alarm, "clock"):
            seen, since = alarm.clock
            passed = monotonic - since + time.time() - wall
            alarm.clock = (seen + timedelta(seconds=passed), time.monotonic())


def _describe_by_state_too(
    self: CloudWatchResponse, describe: Any = CloudWatchResponse.describe_alarms
) -> ActionResult:
    """DescribeAlarms with the filters StateValue, which moto ignores beside names or a prefix, and AlarmTypes: composite
    alarms are described only where they are named there. Source: CloudWatch API reference, DescribeAlarms.
    """
    found = describe(self).result
    wanted, types = self._get_param("StateValue"), self._get_param("AlarmTypes") or ["MetricAlarm"]
    kinds = {"MetricAlarms": "MetricAlarm", "CompositeAlarms": "CompositeAlarm"}
    return ActionResult(
        {
            kind: [a for a in found[kind] if name in types and wanted in (None, a.state_value)]
            for kind, name in kinds.items()
        }
    )


def _newest(metric_data: list[dict[str, Any]]) -> datetime:
    times = [datum["Timestamp"] for datum in metric_data if datum.get("Timestamp")]
    parsed = [datetime.fromisoformat(time) if isinstance(time, str) else time for time in times]
    newest = max(parsed, default=datetime.now(UTC))
    return newest if newest.tzinfo else newest.replace(tzinfo=UTC)
