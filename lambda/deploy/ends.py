"""Closes deployments: the record and the alert about how SageMaker ended one, and about a deletion of the endpoint by hand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import endpoints
import notices
import trial_notices
from deployment import DELETED_BY, POINTER, Deployment, End, end_of
from messages import EndpointEvent
from records import write_deletion, write_deployment
from settings import Settings
from shared.alerts import send_alert
from shared.messages import Outcome

_SAME_CREATION = timedelta(seconds=1)
"""Events have milliseconds, DescribeEndpoint may have more."""


def close_last(settings: Settings, description: dict[str, Any], *, settled: bool) -> None:
    """Close the last deployment of the described endpoint if SageMaker has ended it.

    `settled`: the message is an event at the end of a change. Without a deployment that it ends, a failed endpoint alerts.
    """
    last = endpoints.last_deployment(description)
    if last and _close(settings, last, description):
        return
    if (
        settled
        and description["EndpointStatus"] in ("Failed", "OutOfService", "UpdateRollbackFailed")
        and not (last and last.outcome == "failed")
    ):
        status, reason = description["EndpointStatus"], description.get("FailureReason")
        send_alert(notices.endpoint_failed(settings, status, reason, last.version if last else None))


def close_from_event(settings: Settings, event: EndpointEvent, description: dict[str, Any] | None) -> None:
    """Close the deployment that the event says has ended, where the endpoint is deleted or created again since.

    `description`: DescribeEndpoint now; None when the endpoint does not exist. It says more than the event while it is about
    the same endpoint.
    """
    if description and description["EndpointStatus"] != "Deleting" and _is_same(event, description):
        return
    last = _deployment(event)
    if last is None:
        return
    current = endpoints.deployment_of(last.configuration)
    if current and current.started == last.started and current.outcome != "deleted":
        _close(settings, current.confirmed_by(last), _described(event))
    elif end := end_of(last, _described(event)):
        # The tags of the configuration are about what happened to it since; the record is written once all the same.
        _tell(settings, last, end, _described(event))


def deleted(settings: Settings, request: str, event: EndpointEvent) -> Outcome:
    """Record and alert that the endpoint was deleted by hand, once; it may exist again since."""
    last = _deployment(event)
    if DELETED_BY in event.tags or last is None or event.configuration is None:
        return Outcome("the endpoint is deleted")
    if last.previous:
        # An endpoint that is updated cannot be deleted: the event of the update's end is late.
        close_from_event(settings, replace(event, status="InService"), None)
    live = endpoints.deployment_of(event.configuration)
    if live is None or live.outcome == "deleted":
        return Outcome("the endpoint is deleted")
    is_deployed_again = live.started > event.time
    if is_deployed_again and event.status != "Deleting":
        return Outcome("the endpoint is deleted")  # `Deleting` was recorded, and no tag says so any more
    # A second deletion of the same configuration has a record of its own.
    gone = last if is_deployed_again else live
    write_deletion(settings, gone, event.time, request)
    send_alert(notices.endpoint_deleted(settings, gone.version))
    endpoints.note(gone.model_package, endpoints.DELETED_BY_HAND)
    if not is_deployed_again:
        endpoints.tag(replace(live, outcome="deleted"))
    return Outcome("the endpoint was deleted by hand", {"version": gone.version})


def _close(settings: Settings, last: Deployment, description: dict[str, Any]) -> bool:
    """Write the record of a deployment and alert, if it has ended and that was not done; whether it was done now."""
    end = end_of(last, description)
    if end is None:
        return False
    _tell(settings, last, end, description)
    endpoints.tag(replace(last, outcome=end.outcome))
    return True


def _tell(settings: Settings, last: Deployment, end: End, description: dict[str, Any]) -> None:
    write_deployment(settings, last, end, description)
    if last.challenger_version and end.outcome in ("rolled back", "failed") and _begins_trial(last):
        reason = end.reason or notices.NO_REASON
        send_alert(trial_notices.not_begun(settings, last.challenger_version, last.version, reason))
    elif alert := notices.ended(settings, last, end):
        send_alert(alert)


def _begins_trial(deployment: Deployment) -> bool:
    """Whether a deployment with a challenger begins its trial; other settings during a trial are deployed with guardrails.

    So is a challenger that follows another one: the variants have the same names.
    """
    before = endpoints.deployment_of(deployment.previous) if deployment.timeout else None
    return before is None or before.challenger != deployment.challenger


def _deployment(event: EndpointEvent) -> Deployment | None:
    """The last deployment of the endpoint when the event was sent; None when the event is about what was before it."""
    last = Deployment.from_endpoint_tags(event.tags)
    if last is None and (configuration := event.tags.get(POINTER) or event.configuration):
        last = endpoints.deployment_of(configuration)
    return last if last and last.started < event.time else None


def _described(event: EndpointEvent) -> dict[str, Any]:
    """An event's endpoint as DescribeEndpoint would have described it."""
    return {
        "EndpointStatus": event.status,
        "EndpointConfigName": event.configuration or "",
        "LastModifiedTime": event.time,
        "FailureReason": event.reason,
    }


def _is_same(event: EndpointEvent, description: dict[str, Any]) -> bool:
    return event.created is None or abs(event.created - description["CreationTime"]) < _SAME_CREATION
