"""What becomes of jobs, executions and endpoints when the embedded AWS starts again with kept state.

Jobs and executions that ran end as after an error of the service. Endpoints get their containers again; a deployment that
ran begins again.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ..json_api import Record, now
from .hosting.runtime import Hosting
from .hosting.variants import Variants
from .jobs.api import KINDS, Kind
from .pipelines.execution import Execution
from .service import Service
from .state import State, find
from .tuning import api as tuning

REASON = (
    "InternalServerError: We encountered an internal error. Please try again. (The embedded AWS was restarted while the "
    "{} ran.)"
)


def restarted(service: Service, hosting: Hosting) -> None:
    """Bring everything into a state in which it can go on; returns when the endpoints that were in service are again."""
    for state in service.states():
        for kind in KINDS:
            for record in getattr(state, kind.table).values():
                _fail_job(service, state, kind, record)
        for record in state.tuning_jobs.values():
            if record[tuning.STATUS] in ("InProgress", "Stopping"):
                tuning.end(service, state, record, "Failed", REASON.format("job"))
        for execution in state.executions.values():
            _fail_execution(execution)
    endpoints = [(state, endpoint) for state in service.states() for endpoint in state.endpoints.values()]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: _start_endpoint(service, hosting, *each), endpoints))


def _fail_job(service: Service, state: State, kind: Kind, record: Record) -> None:
    if record[kind.status_key] in ("InProgress", "Stopping"):
        kind.end(service, state, record, "Failed", REASON.format("job"))


def _fail_execution(execution: Execution) -> None:
    """End an execution that ran, with the steps that ran."""
    if execution.record["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
        return
    reason = REASON.format("pipeline")
    kinds = {step["Name"]: step["Type"] for step in _all_steps(execution.definition["Steps"])}
    for name, step in execution.steps.items():
        if step["StepStatus"] == "Executing":
            step |= {"StepStatus": "Failed", "FailureReason": reason, "EndTime": now()}
            execution.emit_step_status(step, kinds[name])
    execution.record |= {"PipelineExecutionStatus": "Failed", "FailureReason": reason, "LastModifiedTime": now()}
    execution.emit_status("Failed")
    execution.count("ExecutionFailed", 1)


def _all_steps(steps: list[Record]) -> Iterator[Record]:
    """Steps with those of the branches of conditions."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps") if step["Type"] == "Condition" else ():
            yield from _all_steps(step["Arguments"].get(branch, []))


def _start_endpoint(service: Service, hosting: Hosting, state: State, endpoint: Record) -> None:
    status, arn = endpoint["EndpointStatus"], endpoint["EndpointArn"]
    instances = [each.get("CurrentInstanceCount", 1) for each in endpoint["ProductionVariants"]]
    if status in ("InService", "Updating") and any(instances):
        try:
            config = find(state.endpoint_configs, endpoint["EndpointConfigName"], "endpoint configuration")
            hosting.fleets[arn] = Variants(service, state, endpoint["EndpointName"], config)
            hosting.set_capture(state, endpoint, config)
        except Exception as error:
            hosting.fail(state, endpoint, f"The container could not be started after a restart: {error}")
            return
    if status in ("Creating", "Updating"):
        pending = endpoint.get("PendingDeploymentSummary", endpoint)["EndpointConfigName"]
        config = find(state.endpoint_configs, pending, "endpoint configuration")
        deployment = endpoint.get("LastDeploymentConfig", {}) if status == "Updating" else {}
        threading.Thread(target=hosting.deploy, args=(state, endpoint, config, deployment), daemon=True).start()
