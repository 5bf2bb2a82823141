"""Keys and bytes of audit records."""

from datetime import UTC, datetime

import pytest

from model_factory.functions.shared.chain import (
    encode,
    evidence_key,
    index_key,
    lineage_key,
    lineage_prefix,
    read_index_key,
    read_lineage_key,
    record_key,
    sequence_of,
)


def test_newest_record_is_listed_first():
    keys = [record_key("sales", sequence) for sequence in (1, 2, 10, 11, 100)]
    assert sorted(keys) == keys[::-1]
    assert [sequence_of(key) for key in keys] == [1, 2, 10, 11, 100]


@pytest.mark.parametrize(
    "key", ["sales/chain/9999999957-41.json", "sales/chain/x.json", "sales/chain/9999999998-01.json", "y"]
)
def test_other_keys_are_refused(key: str):
    with pytest.raises(ValueError):
        sequence_of(key)


@pytest.mark.parametrize("sequence", [0, 10_000_000_000])
def test_number_out_of_range_has_no_key(sequence):
    assert record_key("sales", 1) == "sales/chain/9999999998-1.json"
    assert record_key("sales", 9_999_999_999) == "sales/chain/0000000000-9999999999.json"
    with pytest.raises(ValueError, match=f"record {sequence} is not between 1 and 9999999999"):
        record_key("sales", sequence)


def test_records_of_the_environment_have_their_own_folder():
    assert record_key("", 1) == "_environment/chain/9999999998-1.json"
    assert evidence_key("sales", "ab") == "sales/evidence/ab"


def test_equal_records_have_equal_bytes():
    assert encode({"b": 1, "a": "ä"}) == encode({"a": "ä", "b": 1}) == '{"a":"ä","b":1}'.encode()


def test_marker_has_time_version_and_number_of_its_record():
    record = {"model": "sales", "kind": "gate", "time": "2026-11-26T04:00:00+01:00", "version": None, "sequence": 42}
    assert index_key(record) == "sales/index/gate/20261126T030000Z-v0-42"
    assert read_index_key(index_key(record | {"version": 7})) == (datetime(2026, 11, 26, 3, tzinfo=UTC), 7, 42)
    with pytest.raises(ValueError, match="no key of a marker"):
        read_index_key("sales/index/gate/20261126T030000Z-v0-042")


def test_lineage_markers_of_an_object_have_one_prefix():
    uri = "s3://data/sales/raw/dt=2026-11-26/rows.csv"
    keys = [lineage_key(uri, "v.1", "sales", "abc-d", 7), lineage_key(uri, "v.2", "sales", "abc-e", None)]
    assert all(key.startswith(lineage_prefix(uri)) for key in keys)
    assert keys[0].startswith(lineage_prefix(uri, "v.1"))
    assert [read_lineage_key(key) for key in keys] == [("v.1", "sales", "abc-d", 7), ("v.2", "sales", "abc-e", None)]
    assert not keys[0].startswith(lineage_prefix(uri + "x"))


@pytest.mark.parametrize(
    "key", ["sales/chain/9999999957-42.json", "_lineage/ab/v/sales/abc", "_lineage/ab/sales/abc-v1"]
)
def test_other_keys_are_no_lineage_markers(key: str):
    with pytest.raises(ValueError, match="no key of a lineage marker"):
        read_lineage_key(key)


def test_bytes_of_record_are_utf8_and_json_only():
    assert encode({"by": "Zoë"}) == '{"by":"Zoë"}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"metric": float("nan")})


@pytest.mark.parametrize("name", ["9999999957-many", "9999999957-²"])
def test_key_without_number_is_no_record(name):
    with pytest.raises(ValueError, match="is no key of a record"):
        sequence_of(f"sales/chain/{name}.json")
