"""What the recorder writes passes the audit."""

from datetime import UTC, datetime, timedelta

import pytest

from model_factory.ops.records.objects import S3Objects
from model_factory.ops.records.verification import verify_chain

from .cloud import message


@pytest.fixture
def recorder(cloud, load, monkeypatch):
    monkeypatch.setenv("RECORDS_BUCKET", cloud.bucket)
    monkeypatch.setenv("ARTIFACTS_BUCKET", cloud.bucket)
    return load("recorder")


def test_written_records_pass_the_audit(cloud, recorder):
    now = datetime.now(UTC)
    sent = {"kind": "deployment", "model": cloud.model, "version": 7, "subject": None, "by": "somebody"}
    sent |= {"facts": {"outcome": "succeeded"}, "evidence": {}}
    messages = [
        message(sent | {"id": name, "time": (now - timedelta(hours=hours)).isoformat()}, cloud.model)
        for name, hours in (("one", 30), ("two", 2), ("three", 0))
    ]
    assert recorder(*messages) == []
    later = now + timedelta(hours=1)
    audited = verify_chain(S3Objects(cloud, cloud.bucket), cloud.model, [], place=("acme", "prod"), now=later)
    assert audited.findings == []
    assert [entry.record["id"] for entry in audited.entries] == ["three", "two", "one"]
