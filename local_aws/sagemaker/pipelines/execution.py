"""One run of a pipeline: its steps in the order of their dependencies, each an API call under the pipeline's role."""

import json
import logging
import secrets
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import ClientError

from ...json_api import Record, ServiceError, now
from ...s3 import split_uri
from ...step_graph import waits_for
from ..jobs.end import wait_for_end
from ..service import Service
from ..state import State
from .callbacks import Callback
from .execution_events import ExecutionEvents
from .function_step import StepFailed, function_outputs
from .selection import EVERYTHING, Selection
from .step_attempts import StepAttempts
from .tuning_step import run_tuning
from .values import Scope

log = logging.getLogger(__name__)
JOBS = ("Processing", "Training", "Transform", "Tuning")


class Execution(StepAttempts, ExecutionEvents):
    """`record` is what Describe answers, `steps` what ListPipelineExecutionSteps does."""

    def __init__(
        self,
        service: Service,
        state: State,
        pipeline: Record,
        definition: Record,
        parameters: dict[str, Any],
        identifier: str,
        token: str,
        selection: Selection = EVERYTHING,
    ) -> None:
        self._service, self._state, self._role = service, state, pipeline["RoleArn"]
        self.definition, self.parameters, self.token, self.identifier = definition, parameters, token, identifier
        arn = f"{pipeline['PipelineArn']}/execution/{identifier}"
        self.selection = selection
        self.steps: dict[str, Record] = {}
        self.results: dict[str, tuple[str, Any]] = {}
        """Of each cached step that succeeded: its signature, and the values that other steps refer to."""
        self.callbacks: list[Callback] = []
        self.record: Record = {
            "PipelineName": pipeline["PipelineName"],
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionStatus": "Executing",
            "StartTime": now(),
            "CreationTime": now(),
            "LastModifiedTime": now(),
        }
        variables = {
            "PipelineName": pipeline["PipelineName"],
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionId": identifier,
            "PipelineExecutionArn": arn,
            "StartDateTime": now().isoformat(),
            "CurrentDateTime": now().isoformat(),
        }
        self._scope = Scope(parameters, variables, self._property_file)
        self._stop = threading.Event()
        limit = pipeline.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", len(definition["Steps"]))
        self._slots = threading.Semaphore(max(1, limit))

    def start(self) -> None:
        """Run in the background."""
        threading.Thread(target=self._run, name=f"execution-{self.identifier}", daemon=True).start()

    def stop(self) -> None:
        """Stop the running job; later steps do not start."""
        if self.record["PipelineExecutionStatus"] == "Executing":
            self.record["PipelineExecutionStatus"] = "Stopping"
        self._stop.set()

    def _run(self) -> None:
        started = time.monotonic()
        self.emit_status("Executing")
        self.count("ExecutionStarted", 1)
        try:
            self._service.roles.take(self._role, self.record["PipelineArn"])
            self._run_steps(self.definition["Steps"])
            status = "Stopped" if self._stop.is_set() else "Succeeded"
        except (StepFailed, ServiceError) as error:
            status = "Failed"
            self.record["FailureReason"] = str(error)[:3000]
        except Exception as error:
            log.exception("%s", self.record["PipelineExecutionArn"])
            status = "Failed"
            self.record["FailureReason"] = f"Internal error of the embedded AWS: {type(error).__name__}: {error}"
        self.record["LastModifiedTime"] = now()
        self.record["PipelineExecutionStatus"] = status
        if self._service.stopping.is_set():
            return
        self.emit_status(status)
        self.count(f"Execution{status}", 1)
        self.count("ExecutionDuration", (time.monotonic() - started) * 1000, "Milliseconds")

    def _run_steps(self, steps: list[Record]) -> None:
        """Run steps as soon as those they depend on are done. Raises StepFailed for the first that fails."""
        waiting = {step["Name"]: step for step in steps if self.selection.includes(step["Name"])}
        with ThreadPoolExecutor(max(1, len(steps))) as pool:
            running: dict[Future[None], str] = {}
            while waiting or running:
                blocked = {*waiting, *running.values()}
                ready = [step for step in waiting.values() if not waits_for(step) & blocked]
                for step in [] if self._stop.is_set() else ready:
                    running[pool.submit(self._run_within_limit, step)] = step["Name"]
                    del waiting[step["Name"]]
                if not running:
                    if self._stop.is_set():
                        return
                    raise StepFailed(f"steps {', '.join(waiting)} wait for each other")
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    future.result()

    def _run_within_limit(self, step: Record) -> None:
        """Run a step within the parallelism limit. A condition does not count: the steps of its branch do."""
        if step["Type"] == "Condition":
            return self._run_step(step)
        with self._slots:
            return None if self._stop.is_set() else self._run_step(step)

    def _run_step(self, step: Record) -> None:
        name, kind = step["Name"], step["Type"]
        record: Record = {"StepName": name, "StepStatus": "Executing", "StartTime": now(), "AttemptCount": 1}
        for key, shown in (("DisplayName", "StepDisplayName"), ("Description", "StepDescription")):
            if key in step:
                record[shown] = step[key]
        self.steps[name] = record
        self.emit_step_status(record, kind)
        try:
            runners = {
                "Processing": self._job,
                "Training": self._job,
                "Transform": self._job,
                "Tuning": self._tuning,
                "Condition": self._condition,
                "RegisterModel": self._register,
                "Model": self._model,
                "Lambda": self._lambda,
                "Callback": self._callback,
                "Fail": self._fail,
            }
            self._attempt(runners.get(kind, self._unsupported), step, record)
            record["StepStatus"] = "Stopped" if self._stop.is_set() and kind in JOBS else "Succeeded"
        except (StepFailed, ServiceError, ClientError, KeyError) as error:
            nested = isinstance(error, StepFailed) and kind == "Condition"
            reason = str(error)
            record["StepStatus"] = "Succeeded" if nested else "Failed"
            if not nested:
                record["FailureReason"] = reason[:1024]
                reason = reason if kind == "Fail" else f"Step {name} failed: {reason}"
            raise StepFailed(reason) from None
        finally:
            record["EndTime"] = now()
            if not self._service.stopping.is_set():
                self.emit_step_status(record, kind)

    def _job(self, step: Record, record: Record) -> None:
        """Create the job through the API, as SageMaker names it, and wait for its end."""
        kind, sagemaker = step["Type"], self._client("sagemaker")
        name, arguments = self._name(step), self._scope.resolve(step["Arguments"])
        named = {f"{kind}JobName": name}
        getattr(sagemaker, f"create_{kind.lower()}_job")(**named, **arguments)
        job = getattr(self._state, f"{kind.lower()}_jobs")[name]
        record["Metadata"] = {f"{kind}Job": {"Arn": job[f"{kind}JobArn"]}}
        wait_for_end(job, self._stop, lambda: getattr(sagemaker, f"stop_{kind.lower()}_job")(**named))
        described = getattr(sagemaker, f"describe_{kind.lower()}_job")(**named)
        status = described[f"{kind}JobStatus"]
        self._scope.steps[step["Name"]] = described
        if status == "Stopped" and not self._stop.is_set():
            secondary = described.get("SecondaryStatus", "")
            exceeded = f": {secondary}" if secondary.endswith("Exceeded") else ""
            raise StepFailed(f"the job {name} was stopped{exceeded}")
        if status == "Failed":
            reason = described.get("ExitMessage") or described.get("FailureReason", "no reason was given")
            raise StepFailed(reason)

    def _tuning(self, step: Record, record: Record) -> None:
        sagemaker, arguments = self._client("sagemaker"), self._scope.resolve(step["Arguments"])
        done, problem = run_tuning(sagemaker, self._state, self.identifier, arguments, record, self._stop)
        self._scope.steps[step["Name"]] = done
        if problem:
            raise StepFailed(problem)

    def _condition(self, step: Record, record: Record) -> None:
        arguments = step["Arguments"]
        if not self._reuse(step, record):
            outcome = all(self._scope.holds(condition) for condition in arguments["Conditions"])
            record["Metadata"] = {"Condition": {"Outcome": "True" if outcome else "False"}}
        taken = record["Metadata"]["Condition"]["Outcome"] == "True"
        self._run_steps(arguments.get("IfSteps" if taken else "ElseSteps", []))

    def _register(self, step: Record, record: Record) -> None:
        sagemaker = self._client("sagemaker")
        arn = sagemaker.create_model_package(**self._scope.resolve(step["Arguments"]))["ModelPackageArn"]
        record["Metadata"] = {"RegisterModel": {"Arn": arn}}
        self._scope.steps[step["Name"]] = sagemaker.describe_model_package(ModelPackageName=arn)

    def _model(self, step: Record, record: Record) -> None:
        sagemaker = self._client("sagemaker")
        arguments = {"ModelName": self._name(step), **self._scope.resolve(step["Arguments"])}
        record["Metadata"] = {"Model": {"Arn": sagemaker.create_model(**arguments)["ModelArn"]}}
        self._scope.steps[step["Name"]] = sagemaker.describe_model(ModelName=arguments["ModelName"])

    def _lambda(self, step: Record, record: Record) -> None:
        """Invoke a function; its answer's declared fields are the step's output parameters."""
        function = self._scope.resolve(step["FunctionArn"])
        payload = json.dumps(self._scope.resolve(step.get("Arguments", {})))
        answer = self._client("lambda").invoke(FunctionName=function, Payload=payload)
        found = function_outputs(step, function, answer)
        shown = [{"Name": name, "Value": str(value)} for name, value in found.items()]
        record["Metadata"] = {"Lambda": {"Arn": function, "OutputParameters": shown}}
        self._scope.steps[step["Name"]] = {"OutputParameters": found}

    def _callback(self, step: Record, record: Record) -> None:
        """Send a message to a queue as the pipeline's role, and wait for the answer with its token."""
        queue, arguments = self._scope.resolve(step["SqsQueueUrl"]), self._scope.resolve(step.get("Arguments", {}))
        callback = Callback(step, queue, arguments, self.record["PipelineExecutionArn"])
        self.callbacks.append(callback)
        record["Metadata"] = {"Callback": callback.metadata()}
        sqs = self._client("sqs")
        sqs.send_message(QueueUrl=queue, MessageBody=callback.message("Executing"))
        if not callback.wait(self._stop) and not self._service.stopping.is_set():
            sqs.send_message(QueueUrl=queue, MessageBody=callback.message("Stopping"))
            callback.wait_for_answer(self._service.stopping)
        record["Metadata"] = {"Callback": callback.metadata()}
        if callback.failure is not None:
            raise StepFailed(callback.failure)
        self._scope.steps[step["Name"]] = {"OutputParameters": callback.outputs()}

    def _unsupported(self, step: Record, record: Record) -> None:
        raise StepFailed(f"the embedded AWS does not support steps of type {step['Type']}")

    def _fail(self, step: Record, record: Record) -> None:
        message = self._scope.resolve(step["Arguments"]["ErrorMessage"])
        record["Metadata"] = {"Fail": {"ErrorMessage": message}}
        raise StepFailed(message)

    def _property_file(self, step: str, name: str) -> Any:
        """A property file of a finished step, read under the pipeline's role."""
        declared = next(s for s in self.definition["Steps"] if s["Name"] == step)["PropertyFiles"]
        wanted = next(file for file in declared if file["PropertyFileName"] == name)
        outputs = self._scope.steps[step]["ProcessingOutputConfig"]["Outputs"]
        uri = next(o for o in outputs if o["OutputName"] == wanted["OutputName"])["S3Output"]["S3Uri"]
        bucket, prefix = split_uri(uri)
        key = f"{prefix.rstrip('/')}/{wanted['FilePath']}"
        return json.loads(self._client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def _name(self, step: Record) -> str:
        """A name for what a step creates, in SageMaker's form."""
        return f"pipelines-{self.identifier}-{step['Name'][:30]}-{secrets.token_hex(5)}"

    def _client(self, service: str) -> Any:
        return self._service.local.accounts.role_client(service, self._role, self._state.region)
