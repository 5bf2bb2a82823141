"""A version is trained again, by the command, on a pipeline that registers nothing.

The person has the permissions that `model-factory policy reproduce` prints, and no other.
"""

import pytest

from .auditor import auditor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def reproduce(live, tmp_path, monkeypatch):
    """Runs the command for version 1; exit code, and what it printed."""
    with auditor(live, tmp_path, monkeypatch, "reproduce") as run:
        yield lambda *arguments: run("sales@1", *arguments)


def versions(live):
    listed = live.client("sagemaker").list_model_packages(ModelPackageGroupName=live.names.model_package_group)
    return sorted(each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"])


def test_version_is_identical_recorded_and_not_registered(live, reproduce):
    before = versions(live)
    code, text = reproduce()
    assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
    assert versions(live) == before
    recorded = live.record("reproduction", 1)
    assert recorded.problem is None
    assert recorded.record["facts"]["verdict"] == "identical"
    assert ":assumed-role/auditor/" in recorded.record["by"]["claimed"]


def test_version_is_identical_on_this_machine(reproduce):
    code, text = reproduce("--local")
    assert (code, "identical: model.tar.gz has the same bytes" in text) == (0, True), text
