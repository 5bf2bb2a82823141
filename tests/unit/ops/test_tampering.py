"""Tampering with records, evidence and signed heads, and what the audit says of it."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from model_factory.functions.shared.chain import digest, encode, index_key, lineage_key, record_key
from model_factory.functions.shared.heads import heads_key, signature_key

from .administrator import Administrator
from .chains import MemoryObjects, event_of, write
from .tampering import MODELS, environment, findings, read, sign_heads

SEED = 2026


@pytest.fixture
def buckets() -> tuple[MemoryObjects, MemoryObjects]:
    return environment(random.Random(SEED))


def test_intact_environment_has_no_findings(buckets):
    assert findings(*buckets) == []


def test_untouched_environment_has_no_findings_a_day_later(buckets):
    buckets[0].now += timedelta(hours=30)
    assert findings(*buckets) == []


@pytest.mark.parametrize("trials", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_all_tamperings_are_named(buckets, trials):
    objects, anchor = buckets
    kinds, missed = Counter(), []
    for seed in range(SEED, SEED + trials):
        administrator = Administrator(objects, seed)
        done = administrator.tamper()
        kinds[done.partition(" ")[0]] += 1
        if not administrator.models <= {
            each.model for each in findings(administrator.objects, anchor) if "/" in each.key
        }:
            missed.append(done)
    assert missed == []
    assert set(kinds) == {
        "alter", "delete", "insert", "back-date", "reorder", "swap", "file", "exchange", "marker", "lineage", "heads"
    }  # fmt: skip
    assert min(kinds.values()) > trials * 0.03


def add_record(objects: MemoryObjects) -> str:
    """A record after the last signed heads; its key."""
    write(objects, "churn", {"kind": "approval"}, step=timedelta(minutes=1))
    return record_key("churn", len(read(objects, "churn")))


def texts(buckets) -> list[str]:
    return [f"{each.key}: {each.what}" for each in findings(*buckets)]


def test_changes_after_the_last_heads_are_named_as_far_as_s3_knows(buckets):
    objects, _ = buckets
    key = add_record(objects)
    assert texts(buckets) == []
    objects.mark_deleted(key)
    assert len(texts(buckets)) == 1
    objects.erase(key)
    assert "a marker without a record" in texts(buckets)[0]
    objects.now += timedelta(minutes=16)
    assert "an event without a record: claimed at " in texts(buckets)[1]


def test_end_that_no_heads_cover_can_be_written_anew(buckets):
    """What docs/reference/records.md says cannot be known."""
    objects, _ = buckets
    key = add_record(objects)
    record = read(objects, "churn")[-1]
    objects.erase(key)
    objects.erase(index_key(record))
    objects.erase(event_of(record))
    assert texts(buckets) == []
    forged = record | {"kind": "rejection"}
    objects.put(event_of(forged), b"{}")
    objects.put(key, encode(forged))
    objects.put(index_key(forged), b"")
    assert texts(buckets) == []
    objects.now += timedelta(days=1)
    sign_heads(objects)
    objects.erase(key)
    assert any("is missing, but is signed in" in each for each in texts(buckets))


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda objects, key: objects.erase(key), "a signature without a document: the document was deleted"),
        (lambda objects, key: objects.erase(signature_key(key)), "it has no signature"),
        (lambda objects, key: objects.put(key, b"{}"), "it was put over: 2 versions"),
        (
            lambda objects, key: (objects.erase(key), objects.put(key, b"{}")),
            "its signature does not fit the public key",
        ),
        (
            lambda objects, key: (objects.erase(key), objects.erase(signature_key(key))),
            "it is not in the records bucket, but its copy is in the anchor",
        ),
    ],
)
def test_changed_heads_are_named(buckets, tamper, expected):
    objects, _ = buckets
    tamper(objects, heads_key("2026-11-02"))
    assert any(expected in each for each in texts(buckets))


def test_deleted_heads_are_named_by_those_that_follow(buckets):
    objects, _ = buckets
    for key in (heads_key("2026-11-01"), signature_key(heads_key("2026-11-01"))):
        objects.erase(key)
    found = [f"{each.key}: {each.what}" for each in findings(objects, None)]
    assert found == ["_heads/2026-11-01.json: it was deleted: the heads of 2026-11-02 follow it"]


def test_heads_that_are_no_longer_signed_are_named(buckets):
    buckets[0].now += timedelta(hours=49)
    assert len(texts(buckets)) == 1
    assert "no heads were signed since 2026-11-02" in texts(buckets)[0]


def test_chain_without_heads_is_named_after_two_days():
    objects = MemoryObjects()
    write(objects, "churn", {})
    assert findings(objects, None) == []
    objects.now += timedelta(hours=49)
    assert [each.what for each in findings(objects, None)] == [
        "no heads were ever signed, although that happens every day"
    ]


def test_model_of_which_nothing_is_left_is_named(buckets):
    objects, _ = buckets
    for key in [each for each in objects.objects if each.startswith("fraud/")]:
        objects.erase(key)
    assert any(each.startswith("fraud/chain/: record 6 is missing, but is signed in") for each in texts(buckets))


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda objects, key: objects.erase(key), "it is gone"),
        (lambda objects, key: (objects.erase(key), objects.mark_deleted(key)), "only a delete marker is left"),
        (lambda objects, key: objects.put(key, b"x"), "it was put over"),
        (lambda objects, key: (objects.erase(key), objects.put(key, b"weight")), "it was altered: its SHA-256 is"),
        (lambda objects, key: (objects.erase(key), objects.put(key, b"x")), "it has 1 bytes, not 7"),
    ],
)
def test_changed_evidence_is_named_with_its_record(tamper, expected):
    objects = MemoryObjects()
    write(objects, "churn", {}, {"evidence": {"artifact": b"weights"}})
    key = f"churn/evidence/{digest(b'weights')}"
    tamper(objects, key)
    (found, *_) = [each for each in findings(objects, None) if expected in each.what]
    assert found.key == key
    assert found.what.startswith("file 'artifact' of record 2: ")


def test_evidence_that_was_forgotten_on_record_is_not_missing():
    objects = MemoryObjects()
    write(
        objects,
        "churn",
        {"evidence": {"test": b"rows"}},
        {"kind": "forgetting", "facts": {"evidence": [digest(b"rows")]}},
    )
    assert "still there" in findings(objects, None)[0].what
    objects.erase(f"churn/evidence/{digest(b'rows')}")
    assert findings(objects, None) == []


def test_missing_marker_is_named_after_the_recorder_had_time():
    objects = MemoryObjects()
    (record,) = write(objects, "churn", {})
    objects.erase(index_key(record))
    assert findings(objects, None) == []
    objects.now += timedelta(minutes=16)
    assert [each.what for each in findings(objects, None)] == ["the marker of record 1 is missing"]


def test_claims_that_were_changed_or_deleted_are_named():
    objects = MemoryObjects()
    first, second, _ = write(objects, "churn", {}, {}, {})
    objects.erase(event_of(first))
    objects.put(event_of(second), b"{}")
    changed, missing = (each.what for each in findings(objects, None))
    assert missing == "the claim of the event of record 1 is missing"
    assert "the claim of the event of record 2: it was put over: 2 versions" in changed
    objects.erase(event_of(second))
    objects.put(event_of(second), b"{}")
    assert any("after the record: it was put again" in each.what for each in findings(objects, None))


def test_event_with_two_records_is_named():
    objects = MemoryObjects()
    write(objects, "churn", {"id": "one"}, {"id": "two"}, {"id": "one"})
    whats = [each.what for each in findings(objects, None)]
    assert "record 3 is of the same event as record 1" in whats


def test_marker_of_no_known_model_is_named(buckets):
    buckets[0].put(lineage_key("s3://data/x", "v1", "gone", "e1", 1), b"")
    buckets[0].put("_lineage/other", b"")
    assert [each.partition(": ")[2] for each in texts(buckets)] == ["no marker of a model that has records"] * 2


def test_markers_of_a_lost_manifest_are_not_judged(buckets):
    objects, _ = buckets
    (record, *_) = [each for each in read(objects, "churn") if "manifest" in each["evidence"]]
    objects.erase(key := f"churn/evidence/{record['evidence']['manifest']['sha256']}")
    objects.now += timedelta(hours=1)
    assert [each.partition(": ")[0] for each in texts(buckets)] == [key]


def test_models_of_the_trials_include_the_environment(buckets):
    assert "" in MODELS
    assert len(read(buckets[0], "")) == 6
