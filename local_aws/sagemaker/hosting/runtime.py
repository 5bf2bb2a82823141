"""Endpoints at run time: fleets, deployments, instances, InvokeEndpoint, data capture and metrics."""

import json
import logging
import random
import re
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from ...json_api import Record, ServiceError, now
from ..service import Service, origin
from ..state import State, find, subnets
from .capture import Capture
from .deployments import Plan, plan
from .descriptions import capture_summary, variant_summaries
from .fleet import CUSTOM_ATTRIBUTES, Answer, FleetError
from .invocations import PayloadTooLargeError, Received, check, largest_body, model_error
from .metrics import EndpointMetrics
from .queues import Queues
from .restarts import Restarts
from .variants import Variant, Variants

log = logging.getLogger(__name__)
POLL_SECONDS = 0.1
FLUSH_SECONDS = 1.0


class Hosting:
    """Serves InvokeEndpoint and InvokeEndpointAsync, and runs the fleets of all accounts' endpoints."""

    service = "sagemakerruntime"

    def __init__(self, service: Service) -> None:
        self._service = service
        self.fleets: dict[str, Variants] = {}
        self.captures: dict[str, Capture] = {}
        self._canaries: dict[str, tuple[Variants, float]] = {}
        self._metrics = EndpointMetrics(service)
        self._queues = Queues(service, self)
        threading.Thread(target=self._flush_regularly, name="endpoint-flush", daemon=True).start()
        Restarts(service, self)
        service.on_stop(self.close)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI application: POST /endpoints/<name>/invocations and …/async-invocations."""
        request = Request(environ)
        state = self._service.state(*origin(request))
        name = request.path.split("/")[2]
        try:
            if request.path.endswith("/async-invocations"):
                response = self._queues.add(state, self._endpoint(state, name), request)
            else:
                response = self._invoke(state, name, request)
        except PayloadTooLargeError as error:
            response = Response(json.dumps({"message": str(error)}), 413, content_type="application/json")
        except ServiceError as error:
            body = json.dumps({"message": error.message})
            headers = {"x-amzn-ErrorType": "ValidationError"}
            response = Response(body, 400, headers, content_type="application/json")
        return response(environ, start_response)

    def _invoke(self, state: State, name: str, request: Request) -> Response:
        endpoint = self._endpoint(state, name)
        variants = self.serving(endpoint["EndpointArn"])
        if variants is None:
            raise ServiceError(f"Endpoint {name} of account {state.account} not found.")
        started = time.perf_counter()
        received = Received(request)
        serverless = "CurrentServerlessConfig" in endpoint["ProductionVariants"][0]
        check(request, len(received.body), serverless)
        chosen = variants.choose(request.headers.get("X-Amzn-SageMaker-Target-Variant"))
        variant = chosen.name
        answer = received.send_to(chosen)
        overhead = time.perf_counter() - started - answer.seconds
        self._metrics.add(state, name, variant, (answer.status, answer.seconds, overhead))
        variants.copy(lambda shadow: self._copy(state, endpoint, shadow, received))
        if not 0 < answer.status < 400:
            return model_error(state, name, variant, answer.status, answer.body.decode(errors="replace"))
        if len(answer.body) > largest_body(serverless):
            return model_error(state, name, variant, answer.status, None)
        self._capture(endpoint, variant, received, answer)
        headers = {"x-Amzn-Invoked-Production-Variant": variant}
        if answer.custom_attributes:
            headers[CUSTOM_ATTRIBUTES] = answer.custom_attributes
        return Response(answer.body, 200, headers, content_type=answer.content_type)

    def _endpoint(self, state: State, name: str) -> Record:
        if endpoint := state.endpoints.get(name):
            return endpoint
        raise ServiceError(f"Endpoint {name} of account {state.account} not found.")

    def _copy(self, state: State, endpoint: Record, shadow: Variant, received: Received) -> None:
        """Invoke a shadow variant with a copy of a request. Its answer is captured and counted."""
        answer = received.send_to(shadow)
        self._metrics.add(state, endpoint["EndpointName"], shadow.name, (answer.status, answer.seconds, 0.0))
        if 0 < answer.status < 400:
            self._capture(endpoint, shadow.name, received, answer)

    def _capture(self, endpoint: Record, variant: str, received: Received, answer: Answer) -> None:
        if capture := self.captures.get(endpoint["EndpointArn"]):
            capture.add(
                variant,
                (received.body, received.content_type),
                (answer.body, answer.content_type),
                received.inference_id,
                received.attributes,
            )

    def serving(self, arn: str) -> Variants | None:
        """The variants for the next request; None where the endpoint has no instance."""
        canary, share = self._canaries.get(arn, (None, 0.0))
        return canary if canary and random.random() < share else self.fleets.get(arn)  # noqa: S311 (a sample)

    def deploy(self, state: State, endpoint: Record, config: Record, deployment: Record) -> None:
        """Start a fleet for the configuration and move the traffic to it; the old one answers until then."""
        arn, is_new = endpoint["EndpointArn"], endpoint["EndpointStatus"] == "Creating"
        old, fleet = self.fleets.get(arn), None
        try:
            planned, role = plan(deployment, config), _model(state, config)["ExecutionRoleArn"]
            if (
                not is_new
            ):  # 'If your old fleet trips the alarm at the beginning of your deployment, SageMaker terminates' it.
                self._end_by_alarms(state, role, planned.rollback_alarms)
            fleet = Variants(self._service, state, endpoint["EndpointName"], config)
            if not is_new:
                self._bake(state, arn, fleet, planned, role)
            self.fleets[arn] = fleet
            self.set_capture(state, endpoint, config)
        except Exception as error:
            if not isinstance(error, FleetError | ServiceError):
                log.exception("%s", arn)
            self._roll_back(arn, old, fleet)
            endpoint["FailureReason"] = str(error)[:1024]
            self._settle(state, endpoint, "Failed" if is_new else "InService")
            return
        finally:
            self._canaries.pop(arn, None)
        endpoint.pop("FailureReason", None)
        endpoint["EndpointConfigName"] = config["EndpointConfigName"]
        endpoint |= variant_summaries(config)
        if "ShadowProductionVariants" not in config:
            endpoint.pop("ShadowProductionVariants", None)
        if "DataCaptureConfig" in config:
            endpoint["DataCaptureConfig"] = capture_summary(config["DataCaptureConfig"])
        self._settle(state, endpoint, "InService")
        if old:
            old.retire()

    def scale(self, state: State, endpoint: Record, counts: Mapping[str, int]) -> None:
        """Change the numbers of instances of variants. One container stands for all instances of a variant; none for zero."""
        arn = endpoint["EndpointArn"]
        described = endpoint["ProductionVariants"]
        before = {each["VariantName"]: each["CurrentInstanceCount"] for each in described}
        wanted = {**before, **counts}
        for each in described:
            each["DesiredInstanceCount"] = wanted[each["VariantName"]]
        try:
            if not any(wanted.values()):
                if fleet := self.fleets.pop(arn, None):
                    fleet.retire()
            elif arn not in self.fleets:
                config = find(state.endpoint_configs, endpoint["EndpointConfigName"], "endpoint configuration")
                self.fleets[arn] = Variants(self._service, state, endpoint["EndpointName"], config)
        except FleetError as error:
            endpoint["FailureReason"] = str(error)[:1024]
            wanted = before
        for each in described:
            each["CurrentInstanceCount"] = each["DesiredInstanceCount"] = wanted[each["VariantName"]]
        self._settle(state, endpoint, "InService")

    def _roll_back(self, arn: str, old: Variants | None, fleet: Variants | None) -> None:
        """Return all traffic to the old fleet; the new one finishes its requests."""
        self._canaries.pop(arn, None)
        if old:
            self.fleets[arn] = old
        else:
            self.fleets.pop(arn, None)
        if fleet:
            fleet.retire()

    def _bake(self, state: State, arn: str, fleet: Variants, planned: Plan, role: str) -> None:
        """Give the new fleet its shares of the traffic, one after the other. Raises FleetError when an alarm goes off.

        `role` is the model's: SageMaker looks at the alarms as that.
        """
        for share in planned.shares:
            self._canaries[arn] = (fleet, share)
            end = time.monotonic() + planned.bake_seconds
            while time.monotonic() < end and not self._service.stopping.wait(POLL_SECONDS):
                self._metrics.flush()
                self._end_by_alarms(state, role, planned.rollback_alarms)

    def _end_by_alarms(self, state: State, role: str, names: tuple[str, ...]) -> None:
        """Raise FleetError if a rollback alarm is in state ALARM."""
        if not names:
            return
        cloudwatch = self._service.local.accounts.role_client("cloudwatch", role, state.region)
        found = cloudwatch.describe_alarms(AlarmNames=list(names), StateValue="ALARM")["MetricAlarms"]
        if alarms := [alarm["AlarmName"] for alarm in found]:
            raise FleetError(f"Deployment was rolled back, because alarms are in ALARM: {', '.join(alarms)}")

    def set_capture(self, state: State, endpoint: Record, config: Record) -> None:
        """Capture the traffic of an endpoint as its configuration says."""
        arn, wanted = endpoint["EndpointArn"], config.get("DataCaptureConfig", {})
        if old := self.captures.pop(arn, None):
            old.close()
        if wanted.get("EnableCapture", True) and wanted:
            model = _model(state, config)
            role, accounts = model["ExecutionRoleArn"], self._service.local.accounts
            s3 = accounts.role_client("s3", role, state.region, subnets(model))
            self.captures[arn] = Capture(s3, endpoint["EndpointName"], wanted)

    def _settle(self, state: State, endpoint: Record, status: str) -> None:
        endpoint["EndpointStatus"] = status
        endpoint.pop("PendingDeploymentSummary", None)
        endpoint["LastModifiedTime"] = now()
        if not self._service.stopping.is_set():
            emit_status(self._service, state, endpoint)

    def fail(self, state: State, endpoint: Record, reason: str) -> None:
        """Set an endpoint to Failed and end what runs behind it."""
        self.remove(endpoint)
        endpoint["FailureReason"] = reason[:1024]
        self._settle(state, endpoint, "Failed")

    def remove(self, endpoint: Record) -> None:
        """End what runs behind an endpoint."""
        self._queues.remove(endpoint)
        if capture := self.captures.pop(endpoint["EndpointArn"], None):
            capture.close()
        if fleet := self.fleets.pop(endpoint["EndpointArn"], None):
            fleet.close()

    def flush(self) -> None:
        """Write buffered captured data and metrics."""
        for variants in list(self.fleets.values()):
            variants.drain()
        for capture in list(self.captures.values()):
            capture.flush()
        self._metrics.flush()

    def close(self) -> None:
        """End everything."""
        for fleet in self.fleets.values():
            fleet.close()
        for capture in self.captures.values():
            capture.close(flush=False)

    def _flush_regularly(self) -> None:
        while not self._service.stopping.wait(FLUSH_SECONDS):
            try:
                for capture in list(self.captures.values()):
                    capture.flush_idle()
                self._metrics.flush()
                self._queues.tick()
            except Exception:
                if not self._service.stopping.is_set():
                    log.exception("captured data and metrics of endpoints")


def _model(state: State, config: Record) -> Record:
    return find(state.models, config["ProductionVariants"][0]["ModelName"], "model")


def emit_status(service: Service, state: State, endpoint: Record) -> None:
    """Emit 'SageMaker Endpoint State Change', with the status in the spelling of events, such as IN_SERVICE, and the tags."""
    status = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", endpoint["EndpointStatus"]).upper()
    detail = endpoint | {"EndpointStatus": status, "Tags": state.tags.get(endpoint["EndpointArn"], {})}
    service.emit(state, "Endpoint State Change", detail, endpoint["EndpointArn"])
