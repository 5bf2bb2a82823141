"""The published schema of records, and what it says of wrong ones."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from model_factory.functions.shared.chain import encode
from model_factory.ops.records.schema import json_schema, mistakes

from .chains import START, MemoryObjects, record, write

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "record.schema.json"
FIRST = record("churn", 1, None, START)
FILE = {"sha256": "0" * 64, "size": 1, "source": "s3://b/k", "version_id": None}


def test_published_schema_is_that_of_the_models():
    assert PUBLISHED.read_text() == json_schema()


def test_schema_accepts_records_and_their_evidence():
    validator = Draft202012Validator(json.loads(PUBLISHED.read_text()))
    written = write(MemoryObjects(), "churn", {"evidence": {"manifest": b"{}"}}, {"kind": "retrain", "version": None})
    for each in [FIRST, *written, record("", 7, "a" * 64, START)]:
        assert list(validator.iter_errors(each)) == []
        assert mistakes(encode(each)) == []


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"kind": "party"}, "kind 'party' is none of training"),
        ({"previous": "a" * 64}, "previous is null in the first record"),
        ({"sequence": 0}, "sequence: Input should be greater than or equal to 1"),
        ({"time": "2026-11-01T03:00:00"}, "time: Input should have timezone info"),
        ({"by": None}, "by: Input should be an object"),
        ({"schema": "other/1"}, "schema: Input should be 'model-factory/record/1'"),
        ({"note": ""}, "note: Extra inputs are not permitted"),
        ({"evidence": {"a": FILE | {"sha256": "x"}}}, "evidence.a.sha256: String should match pattern"),
    ],
)
def test_wrong_record_is_described(change, mistake):
    assert mistake in "; ".join(mistakes(encode(FIRST | change)))
