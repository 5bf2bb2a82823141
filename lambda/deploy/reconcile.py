"""Reconciles the endpoint with the newest approved version; safe to repeat at any point.

A message that finds a change of the endpoint in progress succeeds without a deployment of its own: its retries would end long
before a deployment with an hour of baking does. SageMaker's event at the end of that change reconciles again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import api_requests as requests
import endpoints
import ends
import notices
import trials
import without_endpoint
from botocore.exceptions import ClientError
from decision import Delete, Deploy, EndpointState, Keep, Retry, Wanted, decide
from deployment import WAITING, Deployment, timeout_of
from messages import Request
from settings import Settings
from shared.alerts import send_alert
from shared.approvals import UNKNOWN, status_set_by
from shared.artifacts import ArtifactError, check_artifact
from shared.clients import client
from shared.messages import Outcome
from versions import newest_approved


class EndpointDeletedError(Exception):
    """The endpoint is being deleted; the message has to be delivered again to create it."""


def reconcile(settings: Settings, request: Request, sender: str, sent: datetime) -> Outcome:
    """Close the last deployment if it has ended, and deploy the newest approved version unless the endpoint has it.

    `sender` and `sent`: who sent the message and when, as SQS says. Raises EndpointDeletedError, and ClientError when AWS refuses
    the deployment.
    """
    if request.endpoint and request.kind == "deleted":
        return ends.deleted(settings, request.id, request.endpoint)
    description = endpoints.describe(settings.endpoint)
    if request.endpoint:
        ends.close_from_event(settings, request.endpoint, description)
    if settings.serving.mode == "batch":
        return without_endpoint.reconcile(settings, request, description)
    package = newest_approved(settings.model_package_group, request.model_package)
    if description:
        ends.close_last(settings, description, settled=request.kind == "settled")
    endpoint = endpoints.state(description) if description else None
    if package is None:
        return _nothing_approved(settings, request, endpoint)
    if description and endpoint and endpoint.stable:
        endpoints.scale(settings, description)
    newest: int = package["ModelPackageVersion"]
    if request.version not in (None, newest):
        send_alert(notices.not_newest(settings, request.version or 0, newest))
        return Outcome("the requested version is not the newest approved one", {"version": newest})
    if description and endpoint:
        if request.kind == "checked":
            if trials.check(settings, description, endpoint):
                package = newest_approved(settings.model_package_group) or package
        elif request.version:
            trials.promote(settings, description, endpoint, request.version, request.by or sender)
    plan = trials.plan(settings, description, endpoint, package)
    return _Step(settings, request, sender, sent, description, endpoint, plan.served, plan.challenger).take()


@dataclass
class _Step:
    """What the endpoint is to have, against what it has: a described model package, and that of its challenger."""

    settings: Settings
    request: Request
    sender: str
    sent: datetime
    description: dict[str, Any] | None
    endpoint: EndpointState | None
    package: dict[str, Any]
    challenger: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.version: int = self.package["ModelPackageVersion"]
        self.package_arn: str = self.package["ModelPackageArn"]
        challenger_arn: str | None = self.challenger["ModelPackageArn"] if self.challenger else None
        self.config = requests.endpoint_config(self.settings, self.package_arn, challenger_arn)
        self.name: str = self.config["EndpointConfigName"]
        new = self.challenger or self.package
        self.approved: datetime = new.get("LastModifiedTime") or new["CreationTime"]
        self.new: int = new["ModelPackageVersion"]
        """The version that a message about a version may be about: during a trial the challenger."""
        self.facts: dict[str, Any] = {"version": self.version, "endpoint": self.settings.endpoint}
        if self.challenger:
            self.facts["challenger"] = self.new

    def take(self) -> Outcome:
        """Decide and act."""
        wanted = self._wanted()
        decision = decide(self.endpoint, wanted, self.request.kind, self.request.id)
        if isinstance(decision, Deploy | Delete) and not self._artifact_is_evaluated():
            decision = Keep("its artifact is not the one that was evaluated")
        self._alert_of_rejection(decision)
        match decision:
            case Keep(reason, remember):
                if remember:
                    self._prepare()
                if self.endpoint and self.endpoint.stable and reason == "the endpoint was changed by hand":
                    send_alert(notices.changed_by_hand(self.settings, self.version, self.endpoint.target))
                status = {"status": self.endpoint.status, "why": self.endpoint.failure_reason} if self.endpoint else {}
                return Outcome(reason, self.facts | status)
            case Retry():
                raise EndpointDeletedError(f"{self.settings.endpoint} is being deleted")
            case Delete(why):
                self._prepare()
                if self.description:
                    endpoints.delete(self.settings, self.description, self.request.id)
                raise EndpointDeletedError(f"{self.settings.endpoint} {why} and is deleted")
            case Deploy():
                return self._deploy()

    def _artifact_is_evaluated(self) -> bool:
        """Whether the artifacts are the files that Evaluate measured; alerts when one is not."""
        for package in filter(None, (self.challenger, self.package)):
            try:
                self.facts["artifact_version"] = check_artifact(package, client("s3"))
            except ArtifactError as error:
                version = package["ModelPackageVersion"]
                send_alert(notices.artifact_changed(self.settings, version, error.uri, str(error)))
                return False
        return True

    def _wanted(self) -> Wanted:
        last = endpoints.deployment_of(self.name)
        names = (self.name,)
        if last is None and self.challenger is None and self.request.kind != "changed":
            # Nothing that is served has changed where only the name of the model has: its role and network are the same.
            names = (self.name, requests.former_config_name(self.settings, self.package_arn))
        withdrawn = self.endpoint is None and endpoints.is_withdrawn(self.package_arn)
        return Wanted(names, self.version, self._requested(), last, withdrawn, self.settings.serving.mode)

    def _requested(self) -> datetime:
        """When somebody approved or asked for the wanted version, if that is what this message is about.

        LastModifiedTime alone says nothing: an update of metadata changes it, too.
        """
        if self.request.kind == "manual":
            return self.sent
        if self.request.kind == "approved" and _version_of(self.request) in (None, self.new):
            return self.approved
        return datetime.min.replace(tzinfo=UTC)

    def _deploy(self) -> Outcome:
        previous = self.description["EndpointConfigName"] if self.description else None
        try:
            deployment = self._prepare()
            left_out = endpoints.start(self.settings, self.description, self.config, deployment)
        except ClientError as error:
            now = endpoints.describe(self.settings.endpoint)
            if now and endpoints.target(now) == self.name:
                # The call was carried out, its answer was lost, and boto3 called again.
                return Outcome("already on its way", self.facts)
            if endpoints.is_refusal(error):
                send_alert(notices.refused(self.settings, self.version, str(error)))
            raise
        message = "deploying without the rollback alarms that are in ALARM already" if left_out else "deploying"
        facts = {"previous": previous, "requested_by": deployment.requested_by, "rollback_alarms_left_out": left_out}
        return Outcome(message, self.facts | facts)

    def _prepare(self) -> Deployment:
        """Create model and configuration, with the tags of a deployment that is not started yet."""
        description = self.description
        deployment = Deployment(
            configuration=self.name,
            model_package=self.package_arn,
            request=self.request.id,
            requested_by=self._requested_by(),
            # Not before the approval, whatever the clocks say: an approval after the start is a new request.
            started=max(datetime.now(UTC), self.approved),
            previous=description["EndpointConfigName"] if description else "",
            endpoint_modified=description["LastModifiedTime"].isoformat() if description else "",
            outcome=WAITING,
            timeout=self._timeout(),
            challenger=self.challenger["ModelPackageArn"] if self.challenger else "",
        )
        endpoints.prepare(self.settings, self.config, deployment)
        return deployment

    def _timeout(self) -> int:
        """The deployment's timeout; 0 without guardrails, which SageMaker has only where the variants have the same names."""
        old = requests.variant_names(self.description) if self.description else set[str]()
        if old and old != requests.variant_names(self.config):
            return 0
        return requests.timeout_seconds(self.settings, timeout_of(self.description) if self.description else None)

    def _requested_by(self) -> str:
        match self.request.kind:
            case "manual":
                return self.request.by or self.sender
            case "created" | "changed":
                return "stack: settings of the model"
            case _:
                return status_set_by(self.challenger or self.package) or UNKNOWN

    def _alert_of_rejection(self, decision: Deploy | Keep | Delete | Retry) -> None:
        rejected = _version_of(self.request)
        if rejected is None or self.request.kind != "rejected":
            return
        if self.endpoint is None or self.endpoint.live_version != rejected:
            return
        match decision:
            case Deploy() | Delete():
                done = f"Version {self.version}, the newest approved one, is being deployed."
            case Keep(reason):
                done = f"Version {self.version}, the newest approved one, is not deployed now: {reason}."
            case Retry():
                done = ""
        send_alert(notices.live_version_rejected(self.settings, rejected, done))


def _nothing_approved(settings: Settings, request: Request, endpoint: EndpointState | None) -> Outcome:
    rejected = _version_of(request)
    if request.kind == "rejected" and rejected is not None and endpoint and endpoint.live_version == rejected:
        send_alert(notices.nothing_approved(settings, rejected))
        return Outcome("the live version was rejected and no other is approved", {"version": rejected})
    return Outcome("nothing is approved")


def _version_of(request: Request) -> int | None:
    return int(request.model_package.rpartition("/")[2]) if request.model_package else None
