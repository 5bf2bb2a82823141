"""lambda/shared/custom_resource.py: the response to CloudFormation, which is sent again where the connection fails."""

import json
import urllib.error
from types import SimpleNamespace

import pytest

from model_factory.functions.shared import custom_resource

REQUEST = {
    "RequestType": "Delete",
    "ResponseURL": "https://cloudformation/response",
    "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/acme-prod-churn/1",
    "RequestId": "r",
    "LogicalResourceId": "Cleanup",
    "PhysicalResourceId": "acme-prod-churn",
    "ResourceProperties": {"Name": "n" * 501},
}


@pytest.fixture
def respond(monkeypatch):
    """Responds to a request whose connection fails as often as given; the status, the contents sent, and the pauses."""

    def respond(failures=0, error=None, status="SUCCESS", reason="", **changes):
        sent, pauses = [], []

        class Response:
            status = 200

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        def urlopen(request, timeout):
            sent.append(request)
            assert timeout == 4
            if len(sent) <= failures:
                raise error
            return Response()

        monkeypatch.setattr(custom_resource.urllib.request, "urlopen", urlopen)
        monkeypatch.setattr(custom_resource, "time", SimpleNamespace(sleep=pauses.append))
        request = custom_resource.parse(REQUEST | changes, "123456789012")
        try:
            answer = custom_resource.respond(request, status, reason, name_property="Name")
        except OSError as raised:
            answer = raised
        return answer, [json.loads(each.data) for each in sent], pauses

    return respond


BROKEN = (urllib.error.URLError("no route"), TimeoutError(), ConnectionResetError("closed without an answer"))


@pytest.mark.parametrize("error", BROKEN)
def test_response_is_sent_again_after_growing_pauses(respond, error):
    answer, sent, pauses = respond(3, error)
    assert (answer, len(sent)) == (200, 4)
    assert pauses == pytest.approx([0.4, 0.8, 1.6])


@pytest.mark.parametrize("error", BROKEN)
def test_fourth_failure_of_response_is_raised(respond, error):
    answer, sent, _ = respond(4, error)
    assert (answer, len(sent)) == (error, 4)


@pytest.mark.parametrize(
    ("changes", "physical_id"),
    [
        ({}, "acme-prod-churn"),
        ({"PhysicalResourceId": None}, "n" * 500),
        ({"RequestType": "Update"}, "n" * 500),
        ({"RequestType": "Create", "ResourceProperties": {}}, "Cleanup"),
    ],
)
def test_resource_is_identified_by_its_name(respond, changes, physical_id):
    answer, (content,), pauses = respond(reason="r" * 501, status="FAILED", **changes)
    assert content == {
        "Status": "FAILED",
        "Reason": "r" * 500,
        "PhysicalResourceId": physical_id,
        "StackId": REQUEST["StackId"],
        "RequestId": "r",
        "LogicalResourceId": "Cleanup",
    }
    assert (answer, pauses) == (200, [])
