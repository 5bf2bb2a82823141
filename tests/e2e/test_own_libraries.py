"""A model with a library that AWS's image does not have goes through the whole loop. Needs a package index, or uv's cache.

It becomes version 2 or later of the model of the other tests, whose earlier versions do without libraries.
"""

from datetime import UTC, datetime

import pytest

from model_factory.core.image import image_content
from model_factory.libraries.resolve import write_lock
from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .conftest import records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
CODE = '''"""Boosted trees of LightGBM on a number and a colour."""

import pandas as pd
from lightgbm import LGBMClassifier


def features(raw: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"x": raw["x"], "red": (raw["colour"] == "red") * 1.0})


def train(train, validation, hyperparameters):
    model = LGBMClassifier(n_estimators=20, random_state=0, deterministic=True, n_jobs=1, verbose=-1)
    return model.fit(train[["x", "red"]], train["sold"])


def predict(model, features):
    return model.predict_proba(features[["x", "red"]])[:, 1]
'''


@pytest.fixture(scope="module")
def boosted(live):
    """The model's newest version, which LightGBM trained, in service."""
    folder = live.root / "models" / live.model
    (folder / "model.py").write_text(CODE)
    (folder / "requirements.txt").write_text("lightgbm>=4.6\n")
    write_lock(folder, image_content())
    live.deploy(live.names.stack, output="cdk.out.libraries")
    before, started = live.reader.live_version(), datetime.now(UTC)
    finished = live.retrain("another library")
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: live.reader.newer_version(before, started))
    return live


def test_version_answers_and_has_its_libraries_in_lineage(boosted):
    data = records(400, seed=5)
    scores, sold = boosted.predict(data), data["sold"].to_numpy() == 1
    assert sum(s for s, yes in zip(scores, sold, strict=True) if yes) / sold.sum() > 0.6
    package = boosted.reader.live_package()
    assert len(package["CustomerMetadataProperties"]["libraries_digest"]) == 64
    bucket, version = boosted.session.names.bucket("records"), package["ModelPackageVersion"]
    recorded = wait_for("the record", lambda: newest(boosted.session, bucket, boosted.model, "registration", version))
    assert recorded.record["evidence"]["code"]["size"] > 3_000_000


def test_version_is_monitored(boosted):
    boosted.predict(records(500, seed=6))
    boosted.control("flush")
    before = boosted.newest_execution(boosted.names.monitor_pipeline)
    boosted.run_schedule("monitor")
    monitored = boosted.wait_for_next_execution(boosted.names.monitor_pipeline, before)
    assert monitored.status == "Succeeded", monitored.reason


def test_version_is_reproduced_from_evidence_alone(boosted, tmp_path, monkeypatch):
    version = boosted.reader.live_version()
    with auditor(boosted, tmp_path, monkeypatch, "reproduce") as run:
        code, text = run(f"{boosted.model}@{version}")
        assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
        code, text = run(f"{boosted.model}@{version}", "--local")
        assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
