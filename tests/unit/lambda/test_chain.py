"""Keys and bytes of audit records."""

from datetime import UTC, datetime

import pytest

from model_factory.functions.shared.chain import (
    encode,
    evidence_key,
    index_key,
    read_index_key,
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
