"""A model with a library that AWS's image does not have goes through the whole loop. Needs a package index, or uv's cache.

It becomes version 2 or later of the model of the other tests, whose earlier versions do without libraries. FAMILIES names further
families of models.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from model_factory.core.image import image_content
from model_factory.libraries.resolve import write_lock
from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .conftest import FIXTURES, records
from .families import FAMILIES
from .test_alarm_chain import reset_data, retrain

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
NAMES = os.environ.get("FAMILIES", "lightgbm").split(",")
SETTINGS = (FIXTURES / "models" / "sales" / "model.yaml").read_text()
# An hour later than the checks of test_loop.py: a check starts once for each scheduled time.
DAILY = datetime.now(UTC).replace(hour=13, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module", params=NAMES)
def trained(request, live):
    """The model's newest version, which a family's library trained, in service."""
    family, folder = FAMILIES[request.param], live.root / "models" / live.model
    before_all = {name: (folder / name).read_text() for name in ("model.py", "model.yaml")}
    (folder / "model.py").write_text(family.code(request.param))
    if family.requirements:
        (folder / "requirements.txt").write_text(family.requirements)
        write_lock(folder, image_content())
    names = live.session.names
    registry = f"{names.account}.dkr.ecr.{names.region}.amazonaws.com"
    section = {"training": {key: value.format(registry=registry) for key, value in family.training.items()}}
    (folder / "model.yaml").write_text(SETTINGS + (yaml.safe_dump(section) if family.training else ""))
    # The role of reproductions, which pulls the models' images, is the foundation's.
    stacks = (names.foundation_stack, live.names.stack) if family.training else (live.names.stack,)
    live.deploy(*stacks, output="cdk.out.libraries")
    retrain(live, request.param)
    # Days of its own, since the drift alarm looks back: one without drift, and one with it.
    drifted = DAILY + timedelta(days=2 * NAMES.index(request.param) + 2)
    yield live, family, drifted
    for name, text in before_all.items():
        (folder / name).write_text(text)
    for name in ("requirements.txt", "requirements.lock"):
        (folder / name).unlink(missing_ok=True)
    live.deploy_again(live.names.stack)
    reset_data(live)  # the version in service was trained on drifted records


def assert_version_is_of_family(live, family):
    """The live version has the family's libraries in its lineage and its evidence."""
    package = live.reader.live_package()
    assert ("libraries_digest" in package["CustomerMetadataProperties"]) == bool(family.requirements)
    registered = live.record("registration", package["ModelPackageVersion"]).record
    assert (registered["evidence"]["code"]["size"] > 3_000_000) == bool(family.requirements)


def test_version_answers_and_has_its_libraries_in_lineage(trained):
    live, family, _ = trained
    data = records(400, seed=5)
    scores, sold = live.predict(data), data["sold"].to_numpy() == 1
    assert sum(s for s, yes in zip(scores, sold, strict=True) if yes) / sold.sum() > 0.55
    assert_version_is_of_family(live, family)


def test_drift_retrains_and_deploys_version_of_same_library(trained):
    live, family, drifted = trained
    old, started = live.reader.live_version(), datetime.now(UTC)
    for day, shift in ((drifted - timedelta(days=1), 0.0), (drifted, 3.0)):
        data = records(2000, seed=20 + bool(shift), shift=shift)
        if shift:
            live.upload_records(data, f"{day:%Y-%m-%d}")
        live.predict(data)
        live.control("flush")
        training = live.newest_execution(live.names.training_pipeline)
        before = live.newest_execution(live.names.monitor_pipeline)
        live.run_schedule("monitor", day)
        monitored = live.wait_for_next_execution(live.names.monitor_pipeline, before)
        assert monitored.status == "Succeeded", monitored.reason
        state = live.reader.drift_alarm()
        assert state["StateValue"] == ("ALARM" if shift else "OK"), state["StateReason"]
    finished = live.wait_for_next_execution(live.names.training_pipeline, training)
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: live.reader.newer_version(old, started))
    assert live.reader.live_package()["CustomerMetadataProperties"]["trigger"] == "drift"
    assert_version_is_of_family(live, family)


def test_version_is_reproduced(trained, tmp_path, monkeypatch):
    live, _, _ = trained
    version = live.reader.live_version()
    with auditor(live, tmp_path, monkeypatch, "reproduce") as run:
        code, text = run(f"{live.model}@{version}")
        assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
        code, text = run(f"{live.model}@{version}", "--local")
        assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
