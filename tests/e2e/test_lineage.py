"""What an auditor asks about the live version: its lineage back and forward, the report, its evidence."""

import json

import pytest

from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

from .auditor import auditor

pytestmark = pytest.mark.e2e


def links(link):
    return [link, *(each for below in link["below"] for each in links(below))]


@pytest.fixture
def registered(live):
    """The record of the registration of version 1, which comes after its evidence and markers."""
    bucket = live.session.names.bucket("records")
    return wait_for("the record", lambda: newest(live.session, bucket, live.model, "registration", 1)).record


def test_live_version_is_followed_to_its_objects_and_back(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "lineage") as lineage:
        code, text = lineage(live.model, "--json")
        assert code == 0, text
        found = links(json.loads(text)[0])
        kinds = {each["kind"] for each in found}
        assert kinds >= {
            "endpoint",
            "configuration",
            "model",
            "version",
            "artifact",
            "execution",
            "job",
            "code",
            "data",
            "object",
        }
        read = next(each for each in found if each["kind"] == "object")
        code, text = lineage("--data", read["id"].replace("?versionId=", "@"))
        assert code == 0, text
        assert f"train again without it, if it must be forgotten: {live.model} v" in " ".join(text.split())


def test_report_shows_live_version(live, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "report") as report:
        code, text = report("--out", str(tmp_path / "report.html"))
    assert code == 0, text
    page = (tmp_path / "report.html").read_text()
    for heading in ("At a glance", f"{live.model} in prod", "Gate", "Features", "Data and lineage"):
        assert heading in page
    assert "Not shown" not in page


def test_clauses_are_answered_by_verified_records(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "report", "audit") as report:
        out = tmp_path / "clauses.html"
        code, text = report(f"{live.model}@1", "--framework", "eu-ai-act", "--out", str(out))
    assert code == 0, text
    page = out.read_text()
    assert registered["sequence"] > 0
    assert f"record {registered['sequence']}" in page
    assert "each with its S3 version" in page
    assert "not answered: altered" not in page


def test_evidence_of_version_is_verified(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "verify") as verify:
        code, text = verify(f"{live.model}@1")
    assert code == 0, text
