"""`serving` in model.yaml: what belongs to mode async, and what does not."""

import pytest
from pydantic import ValidationError

from model_factory.config import ModelConfig
from model_factory.config.serving import Serving

MODEL = {
    "name": "churn",
    "problem": "binary_classification",
    "data": {"label": "left"},
    "gate": {"metric": "auc", "minimum": 0.7},
}
ASYNC = {"mode": "async", "capture_percent": 0}


def test_async_endpoint_has_no_instance_by_default():
    serving = Serving.model_validate(ASYNC)
    assert (serving.async_.minimum, serving.async_.maximum) == (0, 1)
    assert serving.async_.retention.days == 30


@pytest.mark.parametrize(
    ("serving", "message"),
    [
        ({"mode": "async"}, "SageMaker captures no requests of asynchronous endpoints, so drift and quality"),
        (ASYNC | {"scaling": {"maximum": 2}}, "write async.minimum and async.maximum"),
        (ASYNC | {"canary": {"percent": 20}}, "canary.percent is for mode `realtime`, and mode is `async`"),
        (ASYNC | {"challenger": {"mode": "shadow"}}, "challenger is for mode `realtime`, and mode is `async`"),
        (ASYNC | {"batch": {"schedule": "rate(1 hour)"}}, "batch.schedule is for mode `batch`, and mode is `async`"),
        (ASYNC | {"async": {"minimum": 3}}, "minimum 3 is above maximum 1"),
        (ASYNC | {"async": {"retention": "36h"}}, "retention must be whole days"),
        ({"mode": "realtime", "async": {"maximum": 2}}, "async is for mode `async`, and mode is `realtime`; remove it"),
    ],
)
def test_keys_that_do_not_fit_mode_are_refused_in_words(serving, message):
    with pytest.raises(ValidationError) as caught:
        Serving.model_validate(serving)
    assert message in str(caught.value)


def test_jobs_read_queue_settings_of_async_models_only():
    realtime, queued = (
        ModelConfig.model_validate(MODEL | {"serving": serving}).settings()["serving"] for serving in ({}, ASYNC)
    )
    assert "async" not in realtime
    assert queued["async"]["backlog_per_instance"] == 5
