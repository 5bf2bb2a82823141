"""The recorder: chains of records, one record for each event, whatever is interrupted or happens at the same time."""

import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from model_factory.functions.shared import chain

from .cloud import ACCOUNT, REGION, message

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def recorder(cloud, load, monkeypatch):
    monkeypatch.setenv("RECORDS_BUCKET", cloud.bucket)
    return load("recorder")


def sent(cloud, **changes):
    """A record as send_record sends it."""
    record = {
        "kind": "deployment",
        "id": "one",
        "model": cloud.model,
        "time": NOW.isoformat(),
        "version": 7,
        "subject": None,
        "by": "somebody",
        "facts": {"outcome": "succeeded"},
        "evidence": {},
    }
    return record | changes


def records(cloud, model=None):
    """The records of a model's chain, oldest first."""
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=cloud.bucket, Prefix=chain.chain_prefix(model or cloud.model))
    keys = [entry["Key"] for entry in listed.get("Contents", [])]
    return [s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read() for key in reversed(keys)]


def test_records_are_chained_and_indexed(cloud, recorder):
    assert recorder(*(message(sent(cloud, id=name), cloud.model) for name in ("one", "two"))) == []
    first, second = map(json.loads, bodies := records(cloud))
    assert (first["sequence"], first["previous"], second["sequence"]) == (1, None, 2)
    assert second["previous"] == chain.digest(bodies[0])
    assert (first["factory"], first["environment"], first["version"]) == ("acme", "prod", 7)
    assert first["by"] == {"identity": "AIDAIENQZJOLO23YVJ4VO", "source": "sqs-sender", "claimed": "somebody"}
    assert cloud.objects("index/") == [f"index/deployment/20261125T120000Z-v7-{number}" for number in (1, 2)]


def test_record_of_environment_has_own_chain(cloud, recorder):
    recorder(message(sent(cloud, model="", id=cloud.model), "_environment"))
    assert json.loads(records(cloud, "_environment")[-1])["id"] == cloud.model


@pytest.mark.parametrize("others", [0, 3])
def test_repeated_event_is_one_record(cloud, recorder, others):
    for name in ("one", *map(str, range(others)), "one"):
        assert recorder(message(sent(cloud, id=name), cloud.model)) == []
    assert len(records(cloud)) == 1 + others


def test_recorder_that_ended_before_marker_writes_it_later(cloud, recorder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.delattr(recorder.module.Chains, "_mark")
        assert len(recorder(message(sent(cloud), cloud.model))) == 1
    recorder(message(sent(cloud, id="another"), cloud.model))
    assert recorder(message(sent(cloud), cloud.model)) == []
    assert len(records(cloud)) == len(cloud.objects("index/")) == len(cloud.objects("events/")) == 2


def test_lost_answer_of_claim_leaves_one_record(cloud, recorder, monkeypatch):
    put, answers = recorder.module.Chains._put, iter([False, False])
    # boto3 calls again after a lost answer, and S3 says that the key exists: of the event's claim, and of the record.
    monkeypatch.setattr(recorder.module.Chains, "_put", lambda *arguments: put(*arguments) and next(answers, True))
    assert recorder(message(sent(cloud), cloud.model)) == []
    assert len(records(cloud)) == len(cloud.objects("index/")) == 1


def test_writers_at_once_leave_no_gap(cloud, recorder):
    module = recorder.module

    def write(writer):
        chains = module.Chains(cloud.client("s3"), cloud.bucket)
        for number in range(3):
            received = module.Received(json.dumps(sent(cloud, id=f"{writer}-{number}")), "sender")
            chains.append(module.parse(received, module.origin_of(recorder.context)))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = records(cloud)
    assert len({json.loads(body)["id"] for body in bodies}) == len(bodies) == 12
    previous = [None, *map(chain.digest, bodies)]
    assert [json.loads(body)["previous"] for body in bodies] == previous[:-1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "opinion"}, "kind: "),
        ({"model": "../other"}, "model"),
        ({"time": "2026-11-25T12:00:00"}, "time: "),
        ({"time": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "is in the future"),
        ({"more": 1}, "more: "),
    ],
)
def test_invalid_record_is_refused(cloud, recorder, changes, reason):
    recorder.logged()
    recorder(message(sent(cloud, **changes), cloud.model))
    assert records(cloud) == []
    assert any(reason in line.get("reason", "") for line in recorder.logged())


def test_sender_is_the_session_that_called(local, cloud):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"{cloud.model}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    session = local.accounts.role_client("sqs", f"arn:aws:iam::{ACCOUNT}:role/administrator", REGION)
    session.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId="a", MessageDeduplicationId="1")
    (received,) = sqs.receive_message(QueueUrl=url, AttributeNames=["SenderId"])["Messages"]
    assert ":" in received["Attributes"]["SenderId"]


def ahead(minutes, seconds):
    """A time of a sender whose clock is fast."""
    return (datetime.now(UTC) + timedelta(minutes=minutes, seconds=seconds)).isoformat()


FILE = {"sha256": "0" * 64, "size": 0, "source": "s" * 2048, "version_id": None}


@pytest.mark.parametrize(
    ("longest", "too_long"),
    [
        ({"id": "i" * 1024}, {"id": "i" * 1025}),
        ({"id": "i"}, {"id": ""}),
        ({"subject": "s" * 2048}, {"subject": "s" * 2049}),
        ({"by": "b" * 2048}, {"by": "b" * 2049}),
        ({"version": 1}, {"version": 0}),
        ({"evidence": {"a": FILE}}, {"evidence": {"a": FILE | {"source": "s" * 2049}}}),
        ({"evidence": {"a": FILE}}, {"evidence": {"a": FILE | {"size": -1}}}),
        ({"time": (4, 50)}, {"time": (5, 50)}),
    ],
)
def test_texts_and_numbers_of_record_have_limits(recorder_modules, modules, longest, too_long):
    loaded = modules("recorder", "messages", "shared.messages")
    messages, shared = loaded["messages"], loaded["shared.messages"]
    origin, cloud = shared.Origin(ACCOUNT, "acme-prod"), SimpleNamespace(model="churn")

    def parse(changes):
        if "time" in changes:
            changes = {"time": ahead(*changes["time"])}
        return messages.parse(messages.Received(json.dumps(sent(cloud, **changes)), "sender"), origin)

    assert parse(longest).model == "churn"
    with pytest.raises(shared.InvalidMessageError):
        parse(too_long)
