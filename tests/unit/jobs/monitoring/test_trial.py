"""Trials: the live version and its challenger, compared by late labels on shadow and on split traffic."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from jobs import metrics
from jobs.evaluation.comparison import Advantage
from jobs.monitoring import live_version, predictions, trial
from jobs.monitoring.context import Context
from jobs.monitoring.live_version import Challenger

from ..conftest import BUCKET
from .conftest import URI
from .label_files import as_table, labels_and_scores, singles
from .live_traffic import NOW, line, live_version_of


def on_trial(rows, mode="shadow", classes=(0, 1)):
    """The live version 3, and version 4 as its challenger."""
    return replace(live_version_of(rows, np.zeros(len(rows))), challenger=Challenger(4, mode, list(classes)))


@pytest.fixture
def compared(s3, settings, records):
    """Compares version 4 with the live version 3; the result, which is also in trial.json."""

    def run(mode="shadow", classes=(0, 1), **sections):
        live = on_trial(records(300), mode, classes)
        rules = {"serving": {"challenger": {"mode": mode, "percent": 50, "minimum_labels": 200}}} | sections
        found = trial.judge(Context(settings(**rules), NOW, URI, f"{URI}/monitor"), live)
        written = json.loads(s3.get_object(Bucket=BUCKET, Key="sales/monitor/trial.json")["Body"].read())
        assert (written["result"], written["reason"]) == (found.result, found.reason)
        assert "written" in written
        return found

    return run


@pytest.mark.parametrize(("noise", "result"), [(0.0, "better"), (0.4, "worse")])
def test_shadow_is_judged_on_rows_that_both_scored(compared, predicted, put, noise, result):
    truth, scores = labels_and_scores(1000)
    theirs = np.where(np.random.default_rng(1).random(1000) < noise, 1 - scores, scores)
    predicted(singles(scores), 3)
    predicted(singles(theirs[:900]), 4, "monitor/trial")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    found = compared()
    assert (found.result, found.labelled) == (result, 900)
    assert (
        f"of the live version 3, on 900 labelled records of both: an advantage of {found.advantage.value:.4f}"
        in found.reason
    )
    if not noise:
        assert found.advantage.low == found.advantage.high == 0.0  # paired: luck with the rows cancels out


@pytest.mark.parametrize(("noise", "result"), [(0.0, "better"), (0.6, "worse")])
def test_split_is_judged_on_rows_of_each(compared, predicted, put, noise, result):
    truth, scores = labels_and_scores(2000)
    answered = np.where(np.random.default_rng(1).random(2000) < noise, 1 - scores, scores)
    requests = singles(np.where(np.arange(2000) < 1500, scores, answered))
    predicted(requests[:1500], 3)
    predicted(requests[1500:], 4)
    put(as_table(truth).to_csv(index=False), "labels.csv")
    found = compared("split")
    assert (found.result, found.labelled) == (result, 500)
    assert found.advantage.low < found.advantage.value < found.advantage.high
    assert "on 500 and 1500 labelled records" in found.reason


def test_too_few_labels_decide_nothing(compared, predicted, put):
    assert compared().reason == "there are no labels yet"
    truth, scores = labels_and_scores(300)
    predicted(singles(scores), 3)
    predicted(singles(scores), 4, "monitor/trial")
    put(as_table(truth[:150]).to_csv(index=False), "labels.csv")
    found = compared()
    reason = "150 of 300 records that both versions scored have a label; 200 are needed"
    assert (found.result, found.reason) == (None, reason)


def test_requests_before_the_trial_are_not_compared(compared, predicted, put):
    truth, scores = labels_and_scores(300)
    predicted(singles(scores), 3)
    put(as_table(truth).to_csv(index=False), "labels.csv")
    assert compared().reason == "0 of 0 records that both versions scored have a label; 200 are needed"
    assert compared("split").reason == "0 of 0 records of each version have a label; 200 are needed"


def test_one_class_or_other_classes_decide_nothing(compared, predicted, put):
    _, scores = labels_and_scores(300)
    predicted(singles(scores), 3)
    predicted(singles(scores), 4, "monitor/trial")
    put(as_table(np.ones(300, int)).to_csv(index=False), "labels.csv")
    assert compared().reason == "auc cannot be measured: all 300 labels are the same"
    assert "the labels of version 4 are [0, 2]" in compared(classes=(0, 2)).reason


def test_trial_that_settings_have_ended_is_not_judged(s3, settings, records):
    live = on_trial(records(300))
    assert trial.judge(Context(settings(), NOW, URI, f"{URI}/monitor"), live) is None


def test_margin_of_the_gate_counts(compared, predicted, put):
    truth, scores = labels_and_scores(1000)
    theirs = np.where(np.random.default_rng(1).random(1000) < 0.4, 1 - scores, scores)
    predicted(singles(scores), 3)
    predicted(singles(theirs), 4, "monitor/trial")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    assert compared(gate={"metric": "auc", "minimum": 0.5, "champion_margin": 0.9}).result == "better"


@pytest.mark.parametrize(("labelled", "is_judged"), [(199, False), (200, True)])
def test_trial_is_judged_from_the_minimum_of_labels_on(compared, predicted, put, labelled, is_judged):
    truth, scores = labels_and_scores(300)
    predicted(singles(scores), 3)
    predicted(singles(scores), 4, "monitor/trial")
    put(as_table(truth[:labelled]).to_csv(index=False), "labels.csv")
    found = compared()
    assert ((found.result is not None), found.labelled, found.metric) == (is_judged, labelled, "auc")
    if is_judged:
        value = metrics.values("binary_classification", truth[:labelled], scores[:labelled])["auc"]
        assert (found.live_value, found.challenger_value) == pytest.approx((value, value))
        assert (found.live, found.challenger, found.mode) == (3, 4, "shadow")


def test_live_rows_before_the_challengers_first_are_left_out(compared, predicted, put):
    """With split traffic; those of the same second are compared."""
    truth, scores = labels_and_scores(900)
    requests = singles(scores)
    earlier = [replace(each, seconds=each.seconds - 1) for each in requests[:300]]
    predicted([*earlier, *requests[300:600]], 3)
    predicted(requests[600:], 4)
    put(as_table(truth).to_csv(index=False), "labels.csv")
    found = compared("split")
    assert found.reason.count("on 300 and 300 labelled records") == 1


@pytest.mark.parametrize(("beyond", "result"), [(0.0, "better"), (1e-9, "worse")])
def test_challenger_is_worse_beyond_the_margin_alone(settings, monkeypatch, beyond, result):
    advantage = Advantage(-0.2, -0.3, -0.1 - beyond)
    monkeypatch.setattr(trial, "compare", lambda *_: advantage)
    rules = {
        "serving": {"challenger": {"mode": "shadow"}},
        "gate": {"metric": "auc", "minimum": 0.5, "champion_margin": 0.1},
    }
    truth, scores = labels_and_scores(300)
    stored = predictions.Predictions(
        np.arange(300, dtype="uint64"), np.full(300, 3), np.zeros(300), scores.reshape(-1, 1)
    )
    rows = trial._Rows(stored, truth.astype(float))
    waiting = trial.Comparison(3, 4, "shadow", None, "")
    found = trial._compare(Context(settings(**rules), NOW, URI, URI), waiting, rows, rows)
    assert (found.result, found.advantage) == (result, advantage)
    verdict = "worse" if beyond else "not worse"
    assert found.reason.endswith(
        f"an advantage of -0.2000 (-0.3000 to -0.1000) is {verdict} by more than the margin 0.1"
    )


def test_regression_is_compared_by_its_errors(compared, predicted, put, settings, records, s3):
    rng = np.random.default_rng(0)
    truth = rng.normal(100, 10, 300).round(3)
    predicted(singles(truth + 1.0), 3)
    predicted(singles(truth + 2.0), 4, "monitor/trial")
    put(as_table(truth).to_csv(index=False), "labels.csv")
    live = replace(
        live_version_of(records(300), np.zeros(300), evaluation={"problem": "regression", "classes": None}),
        challenger=Challenger(4, "shadow", None),
    )
    rules = {
        "serving": {"challenger": {"mode": "shadow", "minimum_labels": 200}},
        "gate": {"metric": "rmse", "maximum": 9.0},
    }
    found = trial.judge(Context(settings("regression", **rules), NOW, URI, f"{URI}/monitor"), live)
    assert found is not None
    assert (found.live_value, found.challenger_value) == pytest.approx((1.0, 2.0))
    assert found.advantage.value == pytest.approx(-1.0)


def test_trial_of_a_version_without_classes_is_not_judged(settings, records, s3):
    live = replace(on_trial(records(300)), evaluation={})
    context = Context(settings(serving={"challenger": {"mode": "shadow"}}), NOW, URI, f"{URI}/monitor")
    assert trial.judge(context, live).reason == "version 3 was registered without its classes"


def test_answers_to_copies_may_name_their_version(s3, settings, records):
    key = "sales/captured/sales/Shadow/2026/11/24/09/a.jsonl"
    named = json.loads(line("r", "1.5,red\n", "0.25\n"))
    named["captureData"]["endpointOutput"]["observedContentType"] += "; model-version=7"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(named).encode())
    context = Context(settings(), NOW, URI, f"{URI}/monitor")
    trial.store_copies(context, on_trial(records(300)), [{"Key": key}])
    assert predictions.read(f"{URI}/monitor/trial", NOW, 1).predictions.versions.tolist() == [7]


def test_copies_are_no_requests(s3, settings, records):
    key = "sales/captured/sales/Shadow/2026/11/24/09/a.jsonl"
    lines = [line(f"r-{number}", "1.5,red\n", "0.25\n") for number in range(3)]
    s3.put_object(Bucket=BUCKET, Key=key, Body="".join(each + "\n" for each in lines).encode())
    entry = {"Key": key}
    assert trial.is_copy(entry)
    assert not trial.is_copy({"Key": key.replace("Shadow", "AllTraffic")})
    live = on_trial(records(300))
    context = Context(settings(), NOW, URI, f"{URI}/monitor")
    trial.store_copies(context, live, [entry])
    stored = predictions.read(f"{URI}/monitor/trial", NOW, 1).predictions
    assert (stored.versions.tolist(), stored.scores.ravel().tolist()) == ([4] * 3, [0.25] * 3)
    assert not len(predictions.read(f"{URI}/monitor", NOW, 1).predictions)


@pytest.mark.parametrize(
    ("variants", "shadows", "expected"),
    [(["v3"], [], None), (["v3"], ["v4"], ("shadow", 4)), (["v3", "v4"], [], ("split", 4))],
)
def test_challenger_is_the_second_variant(s3, monkeypatch, variants, shadows, expected):
    s3.put_object(Bucket=BUCKET, Key="sales/4/evaluation.json", Body=b'{"classes": [0, 1]}')
    statistics = {"ModelQuality": {"Statistics": {"S3Uri": f"{URI}/4/statistics.json"}}}
    sagemaker = SimpleNamespace(
        describe_model=lambda ModelName: {"PrimaryContainer": {"ModelPackageName": f"arn/{ModelName[1:]}"}},
        describe_model_package=lambda ModelPackageName: {
            "ModelPackageVersion": int(ModelPackageName.rpartition("/")[2]), "DriftCheckBaselines": statistics,
        },
    )  # fmt: skip
    client = live_version.s3.client
    monkeypatch.setattr(live_version.s3, "client", lambda name="s3": sagemaker if name == "sagemaker" else client(name))
    config = {"ProductionVariants": [{"ModelName": name} for name in variants]}
    if shadows:
        config["ShadowProductionVariants"] = [{"ModelName": name} for name in shadows]
    found = live_version._challenger(config)
    assert (found and (found.mode, found.version)) == expected
