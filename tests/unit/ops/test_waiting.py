"""Polling with a timeout."""

import pytest

from model_factory.ops import waiting
from model_factory.ops.project import UsageError


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(waiting, "pause", lambda started: None)


@pytest.mark.parametrize("result", [True, "", 0, []])
def test_wait_goes_on_at_none_and_false(result):
    answers = iter([None, False, result, "later"])
    assert waiting.wait_for("it", lambda: next(answers)) == result


@pytest.mark.parametrize("result", [None, False])
def test_wait_ends_at_its_timeout(result):
    with pytest.raises(UsageError, match="timed out after 0 s waiting for the moon"):
        waiting.wait_for("the moon", lambda: result, 0)
