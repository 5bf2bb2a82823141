"""The recorder is killed, or overtaken by another invocation, at each of its calls to S3: an event is exactly one record."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from model_factory.functions.shared import chain

MODEL, BUCKET = "sales", "records"
NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
CALLS = 5
"""Calls of an ordinary record: head (two), claim, record, marker."""


class Killed(Exception):
    """The function ends at a call."""


class Bucket:
    """A bucket in memory. `at`: gets the number of a call, before it and after it was carried out."""

    def __init__(self):
        self.objects, self.calls, self.at = {}, 0, lambda number, after: None

    def _call(self, answer):
        number, self.calls = self.calls, self.calls + 1
        self.at(number, False)
        result = answer()
        self.at(number, True)
        return result

    def put_object(self, *, Bucket, Key, Body, IfNoneMatch, ChecksumAlgorithm, ContentType=""):
        def put():
            if Key in self.objects:
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
            self.objects[Key] = Body

        return self._call(put)

    def get_object(self, *, Bucket, Key):
        def get():
            if Key not in self.objects:
                raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
            return {"Body": Stream(self.objects[Key])}

        return self._call(get)

    def list_objects_v2(self, *, Bucket, Prefix, MaxKeys=1000):
        def listed():
            keys = sorted(key for key in self.objects if key.startswith(Prefix))[:MaxKeys]
            return {"Contents": [{"Key": key} for key in keys]}

        return self._call(listed)

    def get_paginator(self, operation):
        return self

    def paginate(self, **parameters):
        return iter([self.list_objects_v2(**parameters)])

    def records(self):
        """Contents of the chain's records, oldest first."""
        keys = sorted((key for key in self.objects if key.startswith(chain.chain_prefix(MODEL))), reverse=True)
        return [json.loads(self.objects[key]) for key in keys]


class Stream:
    def __init__(self, body):
        self.read = lambda: body


@pytest.fixture
def module(load):
    return load("recorder").module


@pytest.fixture
def deliver(module):
    """Hands the recorder an event, in a bucket; the answer of `append`."""

    def deliver(bucket, identifier="one", minutes=0, version=7):
        by = module.By("somebody", "sqs-sender")
        time = NOW + timedelta(minutes=minutes)
        return module.Chains(bucket, BUCKET).append(
            module.Draft("training", identifier, time, by, MODEL, version=version)
        )

    return deliver


def others(deliver, bucket, count):
    for number in range(count):
        deliver(bucket, f"other-{bucket.calls}-{number}", minutes=1)


def complete(bucket, count):
    """Whether the chain is intact, each event is one record, and claims and markers are those of the records."""
    records, bodies = bucket.records(), bucket.objects
    assert len({each["id"] for each in records}) == len(records) == count
    assert [each["sequence"] for each in records] == list(range(1, count + 1))
    markers = {chain.index_key(each) for each in records}
    assert {key for key in bodies if "/index/" in key} == markers
    claims = {chain.event_key(MODEL, each["kind"], each["id"]) for each in records}
    assert {key for key in bodies if "/events/" in key} == claims
    return True


def test_ordinary_record_takes_five_calls(deliver):
    bucket = Bucket()
    others(deliver, bucket, 1)
    before = bucket.calls
    assert deliver(bucket).new
    assert bucket.calls - before == CALLS
    assert complete(bucket, 2)


@pytest.mark.parametrize("between", [0, 3, 30])
def test_event_again_with_another_time_is_one_record(deliver, between):
    bucket = Bucket()
    first = deliver(bucket)
    others(deliver, bucket, between)
    again = deliver(bucket, minutes=6, version=None)
    assert (again.key, again.new) == (first.key, False)
    assert complete(bucket, 1 + between)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(CALLS))
@pytest.mark.parametrize("between", [0, 2, 30])
def test_recorder_killed_at_any_call_leaves_one_record(deliver, between, number, after):
    bucket = Bucket()
    others(deliver, bucket, 2)
    start = bucket.calls

    def kill(call, done):
        if (call - start, done) == (number, after):
            raise Killed

    bucket.at = kill
    with pytest.raises(Killed):
        deliver(bucket)
    others(deliver, bucket, between)
    for minutes in (6, 12):
        deliver(bucket, minutes=minutes)
    assert complete(bucket, 3 + between)


@pytest.mark.parametrize("other", ["one", "another"])
@pytest.mark.parametrize("number", range(CALLS))
def test_invocation_overtaken_at_any_call_leaves_one_record(deliver, number, other):
    bucket = Bucket()
    others(deliver, bucket, 2)
    start = bucket.calls

    def overtake(call, done):
        if (call - start, done) == (number, False):
            bucket.at = lambda *_: None
            deliver(bucket, other, minutes=6)

    bucket.at = overtake
    deliver(bucket)
    assert complete(bucket, 3 if other == "one" else 4)


def test_lost_answer_of_any_write_leaves_one_record(deliver):
    """boto3 calls again, and S3 says that the key exists."""
    for number in (2, 3, 4):
        bucket = Bucket()
        others(deliver, bucket, 2)
        start = bucket.calls

        def lose(call, done, bucket=bucket, lost=start + number):
            if (call, done) == (lost, True):
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")

        bucket.at = lose
        deliver(bucket)
        assert complete(bucket, 3)


def test_record_that_others_always_overtake_is_delivered_again(module, deliver, monkeypatch):
    bucket, pauses, put = Bucket(), [], module.Chains._put
    monkeypatch.setattr(module.Chains.append.__globals__["time"], "sleep", pauses.append)
    monkeypatch.setattr(module.Chains, "_put", lambda self, key, body: "/chain/" not in key and put(self, key, body))
    with pytest.raises(Exception, match="40 other records were written meanwhile to sales/chain/"):
        deliver(bucket)
    assert len(pauses) == 40
    assert all(0 <= pause <= 0.2 for pause in pauses)


@pytest.mark.parametrize(("code", "is_raised"), [("SlowDown", True), ("NoSuchKey", False), ("AccessDenied", False)])
def test_only_missing_records_are_passed_over(deliver, code, is_raised):
    bucket = Bucket()
    bucket.at = kill_after_claim
    with pytest.raises(Killed):
        deliver(bucket)
    bucket.at = lambda *_: None
    others(deliver, bucket, 3)
    get, unreadable = bucket.get_object, chain.record_key(MODEL, 2)

    def get_object(*, Bucket, Key):
        if Key == unreadable:
            raise ClientError({"Error": {"Code": code}}, "GetObject")
        return get(Bucket=Bucket, Key=Key)

    bucket.get_object = get_object
    if is_raised:
        with pytest.raises(ClientError, match=code):
            deliver(bucket)
    else:
        assert deliver(bucket).new


def kill_after_claim(number, after):
    """The chain is empty, so the second call writes the claim."""
    if (number, after) == (1, True):
        raise Killed


@pytest.mark.parametrize("body", [b"no JSON", b"[1]"])
def test_record_that_was_replaced_by_something_else_is_followed(deliver, body):
    bucket = Bucket()
    bucket.objects[chain.record_key(MODEL, 1)] = body
    written = deliver(bucket)
    assert written.key == chain.record_key(MODEL, 2)
    assert json.loads(bucket.objects[written.key])["previous"] == chain.digest(body)
