"""A model whose hyperparameters a tuning job chooses before each training: lineage, reproduction, and the same seed twice."""

import hashlib
import json

import pytest

from model_factory.ops.records.files import content

from .auditor import auditor
from .test_alarm_chain import retrain

pytest.importorskip("optuna")
pytestmark = [pytest.mark.e2e, pytest.mark.slow]
TRIALS = 3
TUNING = f"""
training:
  hyperparameters: {{max_iter: 200}}
  tuning:
    ranges:
      C: {{type: continuous, minimum: 0.001, maximum: 10, scaling: logarithmic}}
      weight: {{type: categorical, values: [balanced, none]}}
    metric: log_loss
    trials: {TRIALS}
"""
FIT = """
    weight = None if hyperparameters["weight"] == "none" else hyperparameters["weight"]
    model = LogisticRegression(C=hyperparameters["C"], max_iter=hyperparameters["max_iter"], class_weight=weight)
    return model.fit(train[["x", "red"]], train["sold"])
"""


@pytest.fixture(scope="module")
def tuned(live):
    """The factory, and the packages of two versions that were tuned and trained on the same rows with the same seed."""
    folder = live.root / "models" / live.model
    code = (folder / "model.py").read_text()
    begin = code.index("    return LogisticRegression()")
    end = code.index("\n\n\ndef predict")
    (folder / "model.py").write_text(code[:begin].rstrip() + FIT.rstrip() + code[end:])
    (folder / "model.yaml").write_text((folder / "model.yaml").read_text().rstrip() + TUNING)
    live.deploy(live.names.stack, output="cdk.out.tuning")
    packages = []
    for reason in ("tuned", "tuned again"):
        retrain(live, reason)
        packages.append(live.reader.live_package())
    return live, packages


def train_facts(live, version):
    """What the training job of a version wrote about itself."""
    bucket = live.session.names.bucket("records")
    entry = live.record("registration", version).record["evidence"]["train_facts"]
    key = f"{live.model}/evidence/{entry['sha256']}"
    return json.loads(content(live.client("s3"), entry["sha256"], Bucket=bucket, Key=key))


def test_same_seed_chooses_same_parameters_and_artifact(tuned):
    live, (first, second) = tuned
    metadata = [each["CustomerMetadataProperties"] for each in (first, second)]
    assert metadata[0]["artifact_digest"] == metadata[1]["artifact_digest"]
    assert metadata[0]["tuning_job"] != metadata[1]["tuning_job"]
    assert metadata[0]["tuning_trials"] == str(TRIALS)

    chosen = train_facts(live, second["ModelPackageVersion"])["hyperparameters"]
    assert set(chosen) == {"C", "weight", "max_iter"}
    assert 0.001 <= chosen["C"] <= 10
    canonical = json.dumps(chosen, sort_keys=True, separators=(",", ":"))
    assert metadata[1]["hyperparameters_digest"] == hashlib.sha256(canonical.encode()).hexdigest()

    job = live.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=metadata[1]["tuning_job"]
    )
    assert job["TrainingJobStatusCounters"]["Completed"] == TRIALS
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"C": str(chosen["C"]), "weight": chosen["weight"]}


def test_lineage_shows_trials_and_chosen_parameters(tuned, tmp_path, monkeypatch):
    live, (_, second) = tuned
    with auditor(live, tmp_path, monkeypatch, "lineage") as run:
        code, text = run(live.model, "--json")
    assert code == 0, text
    jobs = {each["name"]: each for each in _walk(json.loads(text)) if each["kind"] == "job"}
    assert not jobs["Tune"].get("problem"), jobs["Tune"]
    assert (jobs["Tune"]["facts"]["strategy"], jobs["Tune"]["facts"]["trials"]) == ("bayesian", str(TRIALS))
    chosen = train_facts(live, second["ModelPackageVersion"])["hyperparameters"]
    assert jobs["Tune"]["facts"]["chosen"] == f"C={chosen['C']} weight={chosen['weight']}"
    assert f"C={chosen['C']}" in jobs["Train"]["facts"]["hyperparameters"]


def _walk(value):
    """Every mapping of a lineage that has a kind."""
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walk(each)
    if isinstance(value, dict) and "kind" in value:
        yield value


def test_version_is_reproduced_without_tuning_again(tuned, tmp_path, monkeypatch):
    live, (_, second) = tuned
    jobs = len(live.client("sagemaker").list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"])
    with auditor(live, tmp_path, monkeypatch, "reproduce") as run:
        for option in ([], ["--local"]):
            code, text = run(f"{live.model}@{second['ModelPackageVersion']}", *option)
            assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
    after = len(live.client("sagemaker").list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"])
    assert after == jobs
