"""CodePipeline: executions with actions that invoke a function, their jobs, and Lambda's queue of asynchronous invocations.

Of CodePipeline's guide ('Invoke an AWS Lambda function in a pipeline'): a result with a continuation token ends the job, and the
function is invoked again with a new job; without any result the action hangs until it times out. Of Lambda's guide ('Asynchronous
invocation'): an invocation that fails is repeated twice, and one that succeeded may be repeated, too.
"""

import itertools
import json
from dataclasses import dataclass, field
from datetime import timedelta

from .calls import refused

ATTEMPTS = 3
CONTINUE_SECONDS = 30
TASKS = ("retrain", "smoke")


@dataclass
class Invocation:
    """An asynchronous invocation that waits; `due` is its next attempt."""

    job: str
    token: str
    due: object
    attempt: int = 1


@dataclass
class Execution:
    """An execution of the pipeline: its task in progress, and how it ended."""

    id: str
    models: tuple
    task: str = TASKS[0]
    status: str = "InProgress"
    message: str = ""
    log: list = field(default_factory=list)
    ended: object = None


class CodePipeline:
    """One pipeline of one environment. `environment`: its name."""

    def __init__(self, world, environment="prod"):
        self._world, self._environment = world, environment
        self.executions, self.jobs, self.invocations = [], {}, []
        self.interval = CONTINUE_SECONDS
        self._ids = itertools.count(1)

    @property
    def running(self):
        """The execution in progress, or None."""
        return next((each for each in self.executions if each.status == "InProgress"), None)

    def start(self, identifier, models):
        """An execution whose stacks are deployed."""
        self.executions.append(Execution(identifier, tuple(models)))
        self._invoke({}, 0)

    def due(self):
        """The next invocation whose time has come, or None."""
        now = self._world.clock.now
        return next((each for each in self.invocations if each.due <= now), None)

    def event(self, invocation):
        """The event of an invocation."""
        parameters = {
            "task": self.jobs[invocation.job][1],
            "environment": self._environment,
            "execution": self.jobs[invocation.job][2],
        }
        data = {"actionConfiguration": {"configuration": {"UserParameters": json.dumps(parameters)}}}
        if invocation.token:
            data["continuationToken"] = invocation.token
        return {"CodePipeline.job": {"id": invocation.job, "accountId": "123456789012", "data": data}}

    def ended(self, invocation, *, failed, again=False):
        """Lambda's part after an attempt: repeat it, or give it up, and then the action times out."""
        self.invocations.remove(invocation)
        if (failed or again) and invocation.attempt < ATTEMPTS:
            invocation.attempt += 1
            invocation.due = self._world.clock.now + timedelta(seconds=60 * (invocation.attempt - 1))
            self.invocations.append(invocation)
        elif failed and self.jobs[invocation.job][0] == "InProgress":
            self._end("Failed", "the action timed out")

    def _invoke(self, token, wait):
        job, execution = f"job-{next(self._ids)}", self.running
        self.jobs[job] = ["InProgress", execution.task, execution.id]
        text = json.dumps(token) if token else ""
        self.invocations.append(Invocation(job, text, self._world.clock.now + timedelta(seconds=wait)))

    def _end(self, status, message=""):
        execution = self.running
        execution.status, execution.message, execution.ended = status, message, self._world.clock.now
        self._world.tell(f"  … the delivery {execution.id} {status}: {message}"[:260])
        if status == "Failed":
            self._world.notify(f"the delivery {execution.id} failed", message)

    def _job(self, operation, identifier):
        if identifier not in self.jobs:
            raise refused(operation, "JobNotFoundException", f"Job {identifier} does not exist")
        status = self.jobs[identifier][0]
        if status != "InProgress":
            message = f"Job cannot be updated because it's in state {status}"
            raise refused(operation, "InvalidJobStateException", message)
        return self.jobs[identifier]

    # The API

    def put_job_success_result(self, jobId, continuationToken=None, executionDetails=None, outputVariables=None):
        job, execution = self._job("PutJobSuccessResult", jobId), self.running
        job[0] = "Succeeded"
        execution.log.append((execution.task, (executionDetails or {}).get("summary", "")))
        if continuationToken:
            self._invoke(json.loads(continuationToken), self.interval)
        elif execution.task == TASKS[-1]:
            self._end("Succeeded", executionDetails["summary"])
        else:
            execution.task = TASKS[TASKS.index(execution.task) + 1]
            self._invoke({}, 0)
        return {}

    def put_job_failure_result(self, jobId, failureDetails):
        self._job("PutJobFailureResult", jobId)[0] = "Failed"
        self._end("Failed", failureDetails["message"])
        return {}

    def get_pipeline_execution(self, pipelineName, pipelineExecutionId):
        revision = {"name": "Source", "revisionId": pipelineExecutionId[-1] * 40}
        return {
            "pipelineExecution": {
                "pipelineExecutionId": pipelineExecutionId,
                "pipelineVersion": self._number(pipelineExecutionId),
                "artifactRevisions": [revision],
            }
        }

    def get_pipeline(self, name, version=None):
        models = self.executions[version - 1].models
        actions = [
            {"configuration": {"StackName": f"acme-{self._environment}-{model}"}} for model in ("foundation", *models)
        ]
        return {"pipeline": {"name": name, "stages": [{"name": self._environment, "actions": actions}]}}

    def _number(self, identifier):
        return 1 + next(index for index, each in enumerate(self.executions) if each.id == identifier)
