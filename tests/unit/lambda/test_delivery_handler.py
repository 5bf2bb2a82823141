"""lambda/delivery: steps that fail by a fault of AWS, and invocations that Lambda repeats."""

import json

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from .cloud import refused

EVENT = {
    "CodePipeline.job": {
        "id": "job-1",
        "data": {
            "actionConfiguration": {
                "configuration": {"UserParameters": '{"task": "retrain", "environment": "dev", "execution": "e1"}'}
            },
            "continuationToken": '{"since": 4102444800, "asked": {"churn": 1}}',
        },
    }
}


TIMEOUT = ReadTimeoutError(endpoint_url="https://sagemaker.eu-west-1.amazonaws.com/")


class CodePipeline:
    """Stub that keeps the results, or refuses them."""

    def __init__(self, refusal=None):
        self.results, self.refusal = [], refusal

    def put_job_success_result(self, **result):
        self._put(result)

    def put_job_failure_result(self, **result):
        self._put(result)

    def _put(self, result):
        if self.refusal:
            raise refused(self.refusal, 400)
        self.results.append(result)


@pytest.fixture
def run(modules, monkeypatch):
    """Handle the event where the task raises an error; the result that CodePipeline gets."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PIPELINE": "acme-delivery",
        "REPORTS": "reports",
        "PARALLEL": "1",
        "TIMEOUT_SECONDS": "60",
        "POWERTOOLS_SERVICE_NAME": "test",
        "ENVIRONMENTS": json.dumps(
            {"dev": dict.fromkeys(("prefix", "factory", "account", "region", "approval", "role"), "x")}
        ),
    }.items():
        monkeypatch.setenv(name, value)
    handler = modules("delivery", "handler")["handler"]

    def run(result, token=None, refusal=None):
        event, stub = json.loads(json.dumps(EVENT)), CodePipeline(refusal)
        if token:
            event["CodePipeline.job"]["data"]["continuationToken"] = json.dumps(token)

        def task(*_):
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setitem(handler.TASKS, "retrain", task)
        monkeypatch.setattr(handler, "codepipeline", lambda: stub)
        handler.handler(event, None)
        return stub.results[0] if stub.results else None

    run.module = handler
    return run


@pytest.mark.parametrize(
    "error",
    [refused("ThrottlingException", 400), refused("TooMany", 429), refused("InternalFailure", 500), TIMEOUT],
)
def test_step_that_aws_fails_is_tried_again(run, error):
    result = run(error)
    assert json.loads(result["continuationToken"]) == {"since": 4102444800, "asked": {"churn": 1}, "failures": 1}
    assert "it is tried again" in result["executionDetails"]["summary"]


def test_step_that_fails_six_times_fails_delivery(run):
    assert "continuationToken" in run(TIMEOUT, {"since": 1, "failures": 4})
    message = run(TIMEOUT, {"since": 1, "failures": 5})["failureDetails"]["message"]
    assert message.startswith("retrain in dev: ReadTimeoutError: ")


@pytest.mark.parametrize("error", [refused("AccessDeniedException", 400), refused("No", 499), KeyError("digest")])
def test_step_that_would_fail_again_fails_delivery(run, error):
    assert run(error)["failureDetails"]["type"] == "JobFailed"


def test_repeated_invocation_of_finished_job_is_no_error(run):
    assert run(TIMEOUT, refusal="InvalidJobStateException") is None
    with pytest.raises(ClientError, match="AccessDenied"):
        run(TIMEOUT, refusal="AccessDenied")


def test_codepipeline_gets_result_within_its_limits(run):
    done = run(run.module.Succeeded("s" * 2049, {"trained": "a"}))
    assert done == {
        "jobId": "job-1",
        "executionDetails": {"summary": "s" * 2048},
        "outputVariables": {"trained": "a"},
    }
    waiting = run(run.module.InProgress("s" * 2049, {"since": 1}))
    assert waiting == {
        "jobId": "job-1",
        "continuationToken": '{"since": 1}',
        "executionDetails": {"summary": "s" * 2048},
    }
    failed = run(run.module.Failed("m" * 5001))
    assert failed == {"jobId": "job-1", "failureDetails": {"type": "JobFailed", "message": "m" * 5000}}


def test_failed_build_is_an_alert_and_no_job(run, monkeypatch):
    sent = []
    monkeypatch.setattr(run.module, "send_alert", sent.append)
    monkeypatch.setattr(run.module, "failed_build_alert", lambda event: event["detail"])
    detail_type = "CodePipeline Action Execution State Change"
    run.module.handler({"detail-type": detail_type, "detail": "the build"}, None)
    assert sent == ["the build"]
