"""Requests of this process and of others are served alike: by a call and over HTTP."""

import io

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from local_aws import direct
from local_aws.server import LocalAws

KEY = "a b/ü+%.txt"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("state")) as started:
        yield started


@pytest.fixture(params=["call", "http"])
def s3(local, request):
    """A client of S3 that calls the server, or connects to it."""
    if request.param == "http":
        direct.close_to(local._server)
    yield local.session().client("s3")
    direct.open_to(local._server)


def test_objects_are_served_alike_by_call_and_http(s3):
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key=KEY, Body=b"text", Metadata={"a_b": "c"})
    s3.upload_fileobj(io.BytesIO(b"z" * 10_000_000), "bucket", "large")
    assert [entry["Size"] for entry in s3.list_objects_v2(Bucket="bucket")["Contents"]] == [4, 10_000_000]
    found = s3.get_object(Bucket="bucket", Key=KEY)
    assert (found["Body"].read(), found["Metadata"]) == (b"text", {"a_b": "c"})
    assert s3.get_object(Bucket="bucket", Key="large", Range="bytes=0-2")["Body"].read() == b"zzz"
    assert s3.head_object(Bucket="bucket", Key="large")["ContentLength"] == 10_000_000
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="bucket", Key="missing")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="bucket", Key="missing")


def test_exception_of_server_is_an_internal_error(local, monkeypatch):
    def fails(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(local._server, "app", fails)
    with pytest.raises(ResponseParserError, match="500 Internal Server Error"):
        local.session().client("sns").list_topics()


def test_stopped_server_refuses_the_connection(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    with LocalAws(tmp_path) as local:
        client = local.session().client("sqs")
        client.list_queues()
    with pytest.raises(EndpointConnectionError):
        client.list_queues()
