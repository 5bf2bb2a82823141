"""A model with a library that AWS's image does not have goes through the whole loop. Needs a package index, or uv's cache.

It becomes version 2 or later of the model of the other tests, whose earlier versions do without libraries. FAMILIES names further
families of models.
"""

import os
from datetime import UTC, datetime

import pytest

from model_factory.core.image import image_content
from model_factory.libraries.resolve import write_lock
from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .conftest import records
from .families import FAMILIES

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
NAMES = os.environ.get("FAMILIES", "lightgbm").split(",")


@pytest.fixture(scope="module", params=NAMES)
def trained(request, live):
    """The model's newest version, which a family's library trained, in service."""
    family, folder = FAMILIES[request.param], live.root / "models" / live.model
    (folder / "model.py").write_text(family.code(request.param))
    for name in ("requirements.txt", "requirements.lock"):
        (folder / name).unlink(missing_ok=True)
    if family.requirements:
        (folder / "requirements.txt").write_text(family.requirements)
        write_lock(folder, image_content())
    live.deploy(live.names.stack, output="cdk.out.libraries")
    before, started = live.reader.live_version(), datetime.now(UTC)
    finished = live.retrain(request.param)
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: live.reader.newer_version(before, started))
    return live, family


def test_version_answers_and_has_its_libraries_in_lineage(trained):
    live, family = trained
    data = records(400, seed=5)
    scores, sold = live.predict(data), data["sold"].to_numpy() == 1
    assert sum(s for s, yes in zip(scores, sold, strict=True) if yes) / sold.sum() > 0.6
    package = live.reader.live_package()
    assert ("libraries_digest" in package["CustomerMetadataProperties"]) == bool(family.requirements)
    bucket, version = live.session.names.bucket("records"), package["ModelPackageVersion"]
    recorded = wait_for("the record", lambda: newest(live.session, bucket, live.model, "registration", version))
    assert (recorded.record["evidence"]["code"]["size"] > 3_000_000) == bool(family.requirements)


def test_version_is_monitored(trained):
    live, _ = trained
    live.predict(records(500, seed=6))
    live.control("flush")
    before = live.newest_execution(live.names.monitor_pipeline)
    live.run_schedule("monitor")
    monitored = live.wait_for_next_execution(live.names.monitor_pipeline, before)
    assert monitored.status == "Succeeded", monitored.reason


def test_version_is_reproduced(trained, tmp_path, monkeypatch):
    live, _ = trained
    version = live.reader.live_version()
    with auditor(live, tmp_path, monkeypatch, "reproduce") as run:
        code, text = run(f"{live.model}@{version}")
        assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
        code, text = run(f"{live.model}@{version}", "--local")
        assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
