"""Trials of a new version against the live one: their state on the endpoint, and how they end.

The monitor compares both versions by late labels and writes `trial.json`; the event at the end of its run ends the trial here.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import api_requests as requests
import endpoints
import trial_notices
from decision import EndpointState
from settings import Settings
from shared import clients
from shared.alerts import send_alert
from shared.approvals import set_approval
from shared.clients import client
from shared.records import Record, RecorderQueue, send_record
from shared.s3 import has_object, split_uri
from trial_choice import Choice, Finding, Now, Verdict, choose, verdict
from versions import describe

DECIDED_BY = "trial of the deploy function"
"""Who rejects a challenger, in the rejection's record."""


@dataclass(frozen=True)
class Plan:
    """The described model packages of the version that answers the requests, and of its challenger; None without a trial."""

    served: dict[str, Any]
    challenger: dict[str, Any] | None = None


def plan(
    settings: Settings, description: dict[str, Any] | None, endpoint: EndpointState | None, newest: dict[str, Any]
) -> Plan:
    """What the described endpoint is to have; `newest` is the newest approved version."""
    if description is None or endpoint is None or endpoint.status == "Failed" or endpoint.live_version is None:
        return Plan(newest)
    trials = settings.serving.challenger is not None and settings.serving.mode == "realtime"
    if not trials and endpoint.challenger is None:
        return Plan(newest)
    number, stem = newest["ModelPackageVersion"], newest["ModelPackageArn"].rpartition("/")[0]

    @cache
    def package(version: int) -> dict[str, Any] | None:
        return newest if version == number else describe(f"{stem}/{version}")

    def is_approved(version: int) -> bool:
        return (package(version) or {}).get("ModelApprovalStatus") == "Approved"

    now = _now(settings, description, endpoint, stem)
    chosen = choose(now, number, is_approved, trials=trials)
    return _packages(chosen, package) or Plan(newest)


def _packages(chosen: Choice, package: Any) -> Plan | None:
    """The plan of a choice; None when a version was deleted."""
    served = package(chosen.served)
    challenger = package(chosen.challenger) if chosen.challenger else None
    return Plan(served, challenger) if served and (challenger or not chosen.challenger) else None


def _now(settings: Settings, description: dict[str, Any], endpoint: EndpointState, stem: str) -> Now:
    promoted = endpoints.promoted(description)
    ended = False
    if promoted:
        name = requests.endpoint_config(settings, f"{stem}/{promoted}")["EndpointConfigName"]
        last = endpoints.deployment_of(name)
        ended = last is not None and last.outcome in ("rolled back", "failed")
    return Now(endpoint.live_version, endpoint.challenger, promoted, ended)


def check(settings: Settings, description: dict[str, Any], endpoint: EndpointState) -> bool:
    """End the trial of a described endpoint in service, if the monitor has found enough, or the time limit has passed.

    Returns whether it was ended now, which may have rejected the challenger.
    """
    running, rules = _Trial.of(settings, description, endpoint), settings.serving.challenger
    if running is None or rules is None or endpoint.status != "InService":
        return False
    if running.is_decided():
        return False
    if names := endpoints.alarms_in_alarm(settings.serving.challenger_alarms):
        running.end(Verdict("withdrawn", f"alarms of the version are in ALARM: {', '.join(names)}", "alarms"), {})
        return True
    finding = running.finding()
    end = verdict(finding, running.started, datetime.now(UTC), rules.limit, rules.undecided)
    if end:
        running.end(end, finding.facts if finding else {})
    return end is not None


def promote(settings: Settings, description: dict[str, Any], endpoint: EndpointState, version: int, by: str) -> None:
    """Let a version become live without a trial, or end its trial, because somebody asks for that version by its number."""
    if settings.serving.challenger is None or endpoint.live_version is None or version <= endpoint.live_version:
        return
    running = _Trial.of(settings, description, endpoint)
    if running and running.challenger == version:
        running.end(Verdict("promoted", f"{by} asked for version {version}", "request"), {})
    else:
        endpoints.tag_promoted(description, version)


@dataclass(frozen=True)
class _Trial:
    """A trial that the endpoint runs."""

    settings: Settings
    description: dict[str, Any]
    live: int
    challenger: int
    challenger_arn: str
    started: datetime

    @classmethod
    def of(cls, settings: Settings, description: dict[str, Any], endpoint: EndpointState) -> "_Trial | None":
        last = endpoints.deployment_of(description["EndpointConfigName"])
        if endpoint.live_version is None or endpoint.challenger is None or last is None or not last.challenger:
            return None
        return cls(settings, description, endpoint.live_version, endpoint.challenger, last.challenger, last.started)

    def is_decided(self) -> bool:
        """Whether the trial has ended, and only its variant is still there."""
        package = describe(self.challenger_arn)
        if package is None or package["ModelApprovalStatus"] != "Approved":
            return True
        return endpoints.promoted(self.description) == self.challenger

    def finding(self) -> Finding | None:
        """What the monitor has found about these two versions since the trial began."""
        bucket, key = split_uri(f"{self.settings.artifacts_uri}monitor/trial.json")
        # Listed before it is read: without permission to list the whole bucket, S3 answers 403 and not 404.
        if not has_object(client("s3"), bucket, key):
            return None
        content = json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        is_ours = (content["live"], content["challenger"]) == (self.live, self.challenger)
        if not is_ours or datetime.fromisoformat(content["written"]) < self.started:
            return None
        return Finding(content["result"], content["reason"], content)

    def end(self, end: Verdict, measured: dict[str, object]) -> None:
        """Send the record and the alert, then promote or withdraw the challenger. Repeated when the function is killed."""
        rules, configuration = self.settings.serving.challenger, self.description["EndpointConfigName"]
        facts = {
            "result": end.result,
            "reason": end.reason,
            "decided_by": end.decided_by,
            "mode": rules.mode if rules else None,
            "live": self.live,
            "started": self.started.isoformat(),
            "endpoint": self.settings.endpoint,
            "configuration": configuration,
            "measured": measured or None,
        }
        record = Record(
            kind="trial",
            id=f"{configuration}#{self.started.isoformat()}#trial",
            model=self.settings.model,
            version=self.challenger,
            subject=self.challenger_arn,
            facts=facts,
        )
        send_record(record)
        send_alert(trial_notices.ended(self.settings, self.challenger, self.live, end))
        if end.result == "promoted":
            endpoints.tag_promoted(self.description, self.challenger)
            return
        package = {"ModelPackageArn": self.challenger_arn, "ModelPackageVersion": self.challenger}
        set_approval(
            clients,
            RecorderQueue.own(),
            self.settings.model,
            package,
            "Rejected",
            by=DECIDED_BY,
            reason=end.reason,
        )
