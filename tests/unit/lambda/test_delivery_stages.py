"""lambda/delivery: the actions release and smoke, and what follows a version that is reverted."""

import io
import json
import time
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .delivery_stages import Environment, SageMaker, job, version


def approval(name="Approve-prod", status="Succeeded", **result):
    output = {"executionResult": {"externalExecutionSummary": "looks good"} if not result else result["result"]}
    return {"actionName": name, "status": status, "updatedBy": "arn:ada", "output": output}


def test_release_approves_versions_of_the_delivery_for_its_approver(stage):
    environment = Environment(SageMaker(version(3, "PendingManualApproval"), version(2, "Approved", delivery="e0")))
    stage.pipeline.actions = [approval("Approve-dev"), approval(status="Failed"), approval()]
    outcome = stage.release.release(job(stage), environment)
    assert outcome == stage.outcome.Succeeded("approved churn v3 (auc 0.8123)")
    assert stage.decided == [(3, "Approved", "arn:ada", "looks good")]


def test_release_without_approval_fails(stage):
    environment = Environment(SageMaker(version(3, "PendingManualApproval")))
    stage.pipeline.actions = [approval("Approve-dev"), approval(status="Rejected")]
    failed = stage.release.release(job(stage), environment)
    assert failed.message == "versions wait in prod, but nobody approved this delivery (e1)"
    assert stage.decided == []


def test_approval_without_comment_has_an_empty_reason(stage):
    environment = Environment(SageMaker(version(3, "PendingManualApproval")))
    stage.pipeline.actions = [approval(result={})]
    stage.release.release(job(stage), environment)
    assert stage.decided == [(3, "Approved", "arn:ada", "")]


@pytest.mark.parametrize("waiting", [version(3, "Approved"), version(3, "PendingManualApproval", delivery="e0")])
def test_release_of_nothing_succeeds(stage, waiting):
    outcome = stage.release.release(job(stage), Environment(SageMaker(waiting)))
    assert outcome == stage.outcome.Succeeded("nothing to approve")


@pytest.mark.parametrize(
    ("versions", "summary", "decided"),
    [
        ([version(1, "Approved", delivery="e0")], "", []),
        ([version(2, "PendingManualApproval"), version(1, "Approved", delivery="e0")], "v2 (auc 0.8123) rejected", [2]),
        ([version(2, "Approved"), version(1, "Approved", delivery="e0")],
         "v2 (auc 0.8123) rejected, the endpoint goes back to v1 (auc 0.8123)", [2]),
        ([version(2, "Approved"), version(1, "Rejected", delivery="e0")],
         "v2 (auc 0.8123) rejected, there is no version before it", [2]),
    ],
)  # fmt: skip
def test_reverted_version_is_rejected_with_what_follows(stage, versions, summary, decided):
    environment = Environment(SageMaker(*map(dict, versions)))
    assert stage.delivery_versions.revert(job(stage), environment, environment.model, "too slow") == summary
    assert stage.decided == [(number, "Rejected", "the delivery pipeline", "too slow") for number in decided]


@pytest.fixture
def smoke(stage, monkeypatch):
    """The outcome of a step; `score`: what the endpoint answers, or the error."""

    def run(sagemaker, score=0.5, token=None, batch=False):
        def predict(*_):
            if isinstance(score, str):
                raise stage.prediction.PredictionError(score)
            return score

        monkeypatch.setattr(stage.smoke, "predict", predict)
        environment = Environment(sagemaker)
        if batch:
            environment.model["serving"]["mode"] = "batch"
        given = {"token": token} if token else {}
        return stage.smoke.smoke(job(stage, "smoke", **given), environment)

    return run


def test_live_version_that_answers_passes(stage, smoke):
    assert smoke(SageMaker(version(3, "Approved"), served=3)) == stage.outcome.Succeeded(
        "churn v3 (auc 0.8123) answered 0.5000"
    )
    assert smoke(SageMaker(version(9, "Approved"), served=9)).summary.startswith("churn v9")
    assert smoke(SageMaker(version(3, "Approved")), batch=True).summary == "churn v3 (auc 0.8123) scores the next files"
    assert smoke(SageMaker(version(3, "Rejected", delivery="e0"))).summary == "churn: no approved version yet"


def test_version_without_baseline_passes_when_it_is_in_service(smoke):
    own = version(3, "Approved")
    del own["DriftCheckBaselines"]
    assert smoke(SageMaker(own, served=3), "not asked").summary == (
        "churn v3 (auc 0.8123) is in service; without a baseline there is no record to request a score of"
    )


def test_endpoint_that_changes_is_awaited(smoke):
    before = int(time.time()) - 100
    changing = smoke(SageMaker(version(3, "Approved"), served=2, status="Updating"), token={"since": before})
    assert changing.summary == "churn v3 (auc 0.8123): the endpoint is Updating"
    assert changing.token["since"] == before
    assert changing.token["changed"] >= before + 100
    idle = smoke(SageMaker(version(3, "Approved"), served=2), token={"since": before})
    assert idle.summary == "churn v3 (auc 0.8123): the endpoint still serves another version"
    assert idle.token["changed"] == before
    assert smoke(SageMaker(version(3, "Approved"))).summary.endswith("the endpoint does not exist yet")


def test_version_that_fails_is_reverted_and_then_fails_the_delivery(stage, smoke):
    sagemaker = SageMaker(version(3, "Approved"), version(2, "Approved", delivery="e0"), served=3)
    step = smoke(sagemaker, "it refused a typical record")
    assert step.summary.startswith(
        "churn v3 (auc 0.8123): it refused a typical record; v3 (auc 0.8123) rejected, the end"
    )
    sagemaker.served = 2
    failed = smoke(sagemaker).message
    assert failed == (
        "smoke test in prod failed: model churn v3 (auc 0.8123): it refused a typical record; "
        "it serves v2 (auc 0.8123) again"
    )
    assert [number for number, *_ in stage.decided] == [3]


def test_failed_endpoint_of_an_earlier_version_fails_at_once(smoke):
    sagemaker = SageMaker(version(3, "Approved", delivery="e0"), served=3, status="Failed")
    sagemaker.describe_endpoint_config = None  # it may be gone, and is not read
    assert smoke(sagemaker).message == (
        "smoke test in prod failed: model churn v3 (auc 0.8123): the endpoint is Failed: no reason given"
    )


def test_endpoint_that_nobody_changes_fails_after_an_hour(smoke):
    since = int(time.time()) - 3700
    sagemaker = SageMaker(version(3, "Approved", delivery="e0"), served=2)
    message = smoke(sagemaker, token={"since": since, "changed": since}).message
    assert "the endpoint still serves another version for 37" in message


@pytest.mark.parametrize("refusal", [None, "the column age is missing"])
def test_typical_record_of_the_version_is_sent_to_the_endpoint(stage, refusal):
    numbers = {"name": "x", "inferred_type": "Fractional", "numerical_statistics": {"mean": 1.5}}
    statistics = {"features": [numbers, {"name": "c", "string_statistics": {}}, {"name": "t"}]}
    asked = []

    def invoke_endpoint(**request):
        asked.append(request)
        if refusal:
            raise ClientError({"Error": {"Code": "ModelError", "Message": refusal}}, "InvokeEndpoint")
        return {"Body": io.BytesIO(b'{"predictions": [0.5]}')}

    def get_object(**request):
        assert request == {"Bucket": "artifacts", "Key": "churn/statistics.json"}
        return {"Body": io.BytesIO(json.dumps(statistics).encode())}

    services = {"s3": SimpleNamespace(get_object=get_object)}
    services["sagemaker-runtime"] = SimpleNamespace(invoke_endpoint=invoke_endpoint)
    environment = SimpleNamespace(client=services.__getitem__)
    baseline = {"ModelDataQuality": {"Statistics": {"S3Uri": "s3://artifacts/churn/statistics.json"}}}
    given = environment, {"endpoint": "acme-prod-churn"}, version(3, "Approved", DriftCheckBaselines=baseline)
    if refusal:
        with pytest.raises(
            stage.prediction.PredictionError, match="it refused a typical record: the column age is miss"
        ):
            stage.prediction.predict(*given)
    else:
        assert stage.prediction.predict(*given) == 0.5
    (request,) = asked
    assert (request["EndpointName"], request["ContentType"]) == ("acme-prod-churn", "application/json")
    assert json.loads(request["Body"]) == {"instances": [{"x": 1.5}]}


def test_column_without_frequent_values_is_left_out(stage):
    strings = {"distribution": {"categorical": {"buckets": []}}}
    assert stage.prediction.typical_record({"features": [{"name": "c", "string_statistics": strings}]}) == {}


@pytest.mark.parametrize("challenger", [None, {"mode": "shadow"}])
def test_endpoint_with_trial_passes_where_trials_are_configured(stage, monkeypatch, challenger):
    sagemaker = SageMaker(version(3, "Approved"), served=2)
    environment = Environment(sagemaker)
    environment.model["serving"]["challenger"] = challenger
    monkeypatch.setattr(stage.smoke, "is_on_trial", lambda _: True)
    outcome = stage.smoke.smoke(job(stage, "smoke"), environment)
    assert isinstance(outcome, stage.outcome.Succeeded if challenger else stage.outcome.InProgress)
    assert ("is on trial against the live version" in outcome.summary) is bool(challenger)
