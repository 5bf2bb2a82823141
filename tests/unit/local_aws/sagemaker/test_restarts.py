"""Endpoints whose container ends are started again, or turn Failed."""

import time
from collections import deque

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.hosting.restarts import MOST, Restarts

from .endpoint import wait

MORTAL = """
import os, pathlib
import flask

def model_fn(model_dir):
    marker = pathlib.Path(os.environ["MARKER"])
    if marker.exists() and os.environ["ONCE"] == "yes":
        raise RuntimeError("it starts once only")
    marker.touch()

def transform_fn(model, body, content_type, accept):
    if body == "die":
        os._exit(7)
    return flask.Response("alive", content_type="text/csv")
"""


def die(endpoint):
    with pytest.raises(ClientError) as refused:
        endpoint.read("die")
    assert refused.value.response["OriginalStatusCode"] == 500


def answer(endpoint):
    try:
        return endpoint.read("1")
    except ClientError:
        return None


def test_ended_container_is_started_again(endpoint, tmp_path):
    variables = {"MARKER": str(tmp_path / "started"), "ONCE": "no"}
    assert endpoint.create(endpoint.config("", variables, serve=MORTAL))["EndpointStatus"] == "InService"
    die(endpoint)
    assert wait(lambda: answer(endpoint)) == "alive"
    assert endpoint.settled()["EndpointStatus"] == "InService"


def test_container_that_does_not_start_again_fails_endpoint(endpoint, tmp_path):
    variables = {"MARKER": str(tmp_path / "started"), "ONCE": "yes"}
    endpoint.create(endpoint.config("", variables, serve=MORTAL))
    die(endpoint)

    def failed():
        described = endpoint.settled()
        return described if described["EndpointStatus"] == "Failed" else None

    reason = wait(failed)["FailureReason"]
    assert reason.startswith("The container ended and could not be started again: The container for")
    assert "it starts once only" in reason


def test_endpoint_that_ends_too_often_is_given_up(monkeypatch):
    monkeypatch.setattr(Restarts, "__init__", lambda self: None)
    restarts = Restarts()
    restarts._times = {"arn": deque()}
    assert [restarts._too_often("arn") for _ in range(MOST + 1)] == [False] * MOST + [True]
    monkeypatch.setattr(time, "monotonic", lambda: 1e12)
    assert restarts._too_often("arn") is False
