"""Reading and verifying the chain of a model."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from model_factory.functions.shared.chain import digest, encode, index_key, record_key
from model_factory.ops.records import chain, verification
from model_factory.ops.records.chain import read_chain

from .chains import ENVIRONMENT, FACTORY, MemoryObjects, record, write

KEY = record_key("churn", 2)


@pytest.fixture
def objects() -> MemoryObjects:
    found = MemoryObjects()
    write(found, "churn", {}, {"kind": "gate"}, {"kind": "training", "version": None})
    return found


def problems(objects: MemoryObjects, model: str = "churn") -> dict[int, str]:
    return {each.sequence: each.problem for each in read_chain(objects, model) if each.problem}


def rewrite(objects: MemoryObjects, number: int, **changes: object) -> None:
    """Delete the record with all versions and put a changed one."""
    key = record_key("churn", number)
    found = chain.parse(objects.read(key) or b"") | changes
    objects.erase(key)
    objects.now += timedelta(minutes=1)
    objects.put(key, encode(found))


def test_intact_chain_is_read_newest_first(objects: MemoryObjects):
    entries = list(read_chain(objects, "churn"))
    assert [each.sequence for each in entries] == [3, 2, 1]
    assert [each.problem for each in entries] == [None, None, None]
    assert entries[1].digest == digest(encode(entries[1].record)) == entries[0].record["previous"]


def test_reading_since_a_time_stops_there(objects: MemoryObjects):
    since = objects.now - timedelta(minutes=90)
    assert [(each.sequence, each.problem) for each in read_chain(objects, "churn", since=since)] == [
        (3, None),
        (2, None),
    ]


def test_changed_record_contradicts_its_successor(objects: MemoryObjects):
    rewrite(objects, 2, version=7)
    assert "but record 3 names" in problems(objects)[2]
    assert "it was put again" in problems(objects)[2]


def test_record_that_was_put_over_is_named(objects: MemoryObjects):
    objects.put(KEY, b"{}")
    assert problems(objects)[2].startswith("it was put over: 2 versions, where one is written; later ones: v")


def test_record_that_was_marked_deleted_is_still_read(objects: MemoryObjects):
    objects.mark_deleted(KEY)
    assert problems(objects) == {2: "it was marked deleted at 2026-11-01 06:00:00 UTC"}
    assert [each.record["sequence"] for each in read_chain(objects, "churn")] == [3, 2, 1]


@pytest.mark.parametrize(("gone", "message"), [([2], "record 2 is missing"), ([1, 2], "records 1 to 2 are missing")])
def test_deleted_records_leave_a_named_gap(objects: MemoryObjects, gone: list[int], message: str):
    for sequence in gone:
        objects.erase(record_key("churn", sequence))
    assert problems(objects) == {2: message}


def test_record_of_another_model_is_named(objects: MemoryObjects):
    rewrite(objects, 3, model="fraud")
    assert "it is about the model 'fraud', but is in the chain of churn" in problems(objects)[3]


def test_record_with_another_number_is_named(objects: MemoryObjects):
    rewrite(objects, 3, sequence=9)
    assert "it says that it is record 9, but its key says 3" in problems(objects)[3]


def test_back_dated_record_is_named(objects: MemoryObjects):
    objects.now += timedelta(days=3)
    early = (objects.now - timedelta(days=2)).isoformat()
    objects.put(
        record_key("churn", 4), encode(record("churn", 4, digest(encode_newest(objects)), objects.now, recorded=early))
    )
    assert "it says that it was recorded at 2026-11-02 06:00:00 UTC, but S3 wrote it at" in problems(objects)[4]


def encode_newest(objects: MemoryObjects) -> bytes:
    return objects.read(record_key("churn", 3)) or b""


def test_foreign_key_in_the_chain_is_named(objects: MemoryObjects):
    objects.put("churn/chain/notes.txt", b"")
    assert problems(objects) == {0: "the key is no record's"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no json", "Invalid JSON"), (b"[]", "should be an object"), (b'{"schema": "x"}', "sequence: Field required")],
)
def test_unreadable_record_is_named(objects: MemoryObjects, content: bytes, message: str):
    objects.erase(KEY)
    objects.put(KEY, content)
    assert message in problems(objects)[2]


class Bucket:
    """A bucket of moto with the objects of one in memory; counts calls."""

    def __init__(self, objects: MemoryObjects) -> None:
        self.calls: list[str] = []
        self.s3 = boto3.client("s3", region_name="eu-west-1")
        self.s3.create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.s3.put_bucket_versioning(Bucket="records", VersioningConfiguration={"Status": "Enabled"})
        for key in objects.objects:
            self.s3.put_object(Bucket="records", Key=key, Body=objects.read(key) or b"")
        self.s3.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))

    def client(self, service: str):
        assert service == "s3"
        return self.s3


@pytest.fixture
def bucket(aws, objects: MemoryObjects) -> Bucket:
    write(objects, "churn", *[{"version": number} for number in range(2, 32)], step=timedelta(hours=13))
    return Bucket(objects)


def test_newest_of_a_kind_takes_five_calls(bucket: Bucket):
    found = chain.newest(bucket, "records", "churn", "deployment")
    assert found
    assert found.sequence == 33
    assert found.record["version"] == 31
    assert bucket.calls == ["ListObjectsV2", "ListObjectsV2", "ListObjectVersions", "GetObject", "GetObject"]
    assert chain.newest(bucket, "records", "churn", "promotion") is None


def test_newest_of_a_version_is_found(bucket: Bucket):
    found = chain.newest(bucket, "records", "churn", "deployment", version=7)
    assert found
    assert found.record["version"] == 7
    gate = chain.newest(bucket, "records", "churn", "gate")
    assert gate
    assert gate.sequence == 2


def test_newest_names_what_is_wrong(bucket: Bucket):
    bucket.s3.put_object(Bucket="records", Key=KEY, Body=b"{}")
    gate = chain.newest(bucket, "records", "churn", "gate")
    assert gate
    assert gate.record["kind"] == "gate"
    assert "put over: 2 versions" in (gate.problem or "")


def test_records_of_s3_are_filtered_by_kind(bucket: Bucket):
    found = [
        each.record["kind"] for each in chain.records(bucket, "records", "churn", kinds={"gate"}) if not each.problem
    ]
    assert set(found) <= {"gate"}
    seen: list[int] = []
    assert len(list(chain.records(bucket, "records", "churn", progress=seen.append))) == 33
    assert seen == [33]


def test_marker_is_derived_from_its_record(objects: MemoryObjects):
    for entry in read_chain(objects, "churn"):
        assert index_key(entry.record) in objects.objects


def test_record_written_during_an_audit_is_no_finding(objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch):
    def read_and_write(*arguments: Any, **more: Any) -> list[chain.Entry]:
        entries = list(read_chain(*arguments, **more))
        write(objects, "churn", {}, step=timedelta(seconds=1))
        return entries

    monkeypatch.setattr(verification, "read_chain", read_and_write)
    audit = verification.verify_chain(objects, "churn", [], place=(FACTORY, ENVIRONMENT), now=objects.now)
    assert (len(audit.entries), audit.findings) == (3, [])
