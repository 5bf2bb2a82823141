"""lambda/delivery: decisions without AWS: which trainings to request, and whether an endpoint passes the smoke test."""

from types import SimpleNamespace

import pytest

MODEL = {"model": "any"}
NOW = 1_000_000


@pytest.fixture
def progress(delivery):
    return delivery["progress"].Progress


@pytest.mark.parametrize(
    ("state", "requested", "parallel", "expected"),
    [
        ({}, {}, 2, ["a", "b"]),
        ({"running": ["x"]}, {}, 2, ["a"]),
        ({"running": ["x", "y", "z"]}, {}, 2, []),
        ({}, {"a": NOW - 10}, 2, ["b"]),
        ({}, {"a": NOW - 10}, 1, []),
        ({}, {"a": NOW - 60}, 1, []),
        ({}, {"a": NOW - 61}, 1, ["a"]),
        ({"failed": {"x": "too little data"}}, {}, 2, []),
    ],
)
def test_trainings_are_requested_up_to_limit(progress, state, requested, parallel, expected):
    to_train = {"a": MODEL, "b": MODEL, "c": MODEL}
    assert progress(to_train=to_train, **state).to_request(requested, parallel, NOW) == expected


@pytest.mark.parametrize(
    ("state", "finished", "failure"),
    [
        ({"unchanged": ["a"], "trained": ["b"], "without_data": ["c"]}, True, None),
        ({"running": ["a"]}, False, None),
        ({"to_train": {"a": MODEL}}, False, None),
        ({"to_promote": {"a": MODEL}}, False, None),
        ({"failed": {"a": "why"}, "running": ["b"]}, False, None),
        ({"failed": {"a": "why", "b": "what"}}, True, "model a: why; model b: what"),
    ],
)
def test_progress_is_finished_and_failed_when_nothing_runs(progress, state, finished, failure):
    assert (progress(**state).finished, progress(**state).failure) == (finished, failure)


def test_progress_summary_names_models_by_state(progress):
    state = progress(trained=["a"], promoted=["b"], to_promote={"c": MODEL}, running=["d"], unchanged=["e", "f"])
    assert state.summary() == "trained: a; promoted: b; to be promoted: c; training: d; unchanged: 2"
    assert progress(trained=["a", "b"]).result().variables["trained"] == "a,b"
    assert state.result().variables == {"trained": "a", "promoted": "b", "leftovers": "none"}


@pytest.mark.parametrize(
    ("endpoint", "serves_version", "expected"),
    [
        (None, False, ("pending", "the endpoint does not exist yet")),
        ({"EndpointStatus": "Updating"}, False, ("pending", "the endpoint is Updating")),
        ({"EndpointStatus": "Failed"}, False, ("failed", "the endpoint is Failed: no reason given")),
        ({"EndpointStatus": "Failed", "FailureReason": "quota"}, False, ("failed", "the endpoint is Failed: quota")),
        ({"EndpointStatus": "InService"}, True, ("passed", "")),
        ({"EndpointStatus": "InService", "FailureReason": "an earlier update"}, True, ("passed", "")),
        ({"EndpointStatus": "InService"}, False, ("pending", "the endpoint still serves another version")),
        (
            {"EndpointStatus": "InService", "FailureReason": "alarm"},
            False,
            ("failed", "its deployment was rolled back: alarm"),
        ),
    ],
)
def test_endpoint_is_tested_when_it_serves_the_version(delivery, endpoint, serves_version, expected):
    assert delivery["smoke"].endpoint_state(endpoint, "realtime", serves_version=serves_version) == expected


@pytest.mark.parametrize(
    ("config", "mode", "state"),
    [
        ({}, "async", "pending"),
        ({"AsyncInferenceConfig": {}}, "async", "passed"),
        ({"AsyncInferenceConfig": {}}, "realtime", "pending"),
        ({"ProductionVariants": [{"CurrentServerlessConfig": {}}]}, "realtime", "passed"),
    ],
)
def test_endpoint_of_another_mode_is_awaited(delivery, config, mode, state):
    endpoint = {"EndpointStatus": "InService", **config}
    assert delivery["smoke"].endpoint_state(endpoint, mode, serves_version=True)[0] == state


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ({"ProductionVariants": [{}]}, False),
        ({"ProductionVariants": [{}, {}]}, True),
        ({"ProductionVariants": [{}], "ShadowProductionVariants": [{}]}, True),
    ],
)
def test_version_on_trial_passes_its_test(delivery, endpoint, expected):
    assert delivery["smoke"].is_on_trial(endpoint) is expected


@pytest.mark.parametrize(
    ("body", "score"), [(b'{"predictions": [0.25]}', 0.25), (b'{"predictions": [[0.25, 0.75], [1, 0]]}', 0.25)]
)
def test_score_is_first_prediction(delivery, body, score):
    assert delivery["prediction"].parse_score(body) == score


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "its answer is no score: JSONDecodeError"),
        (b"[]", "its answer is no score: TypeError"),
        (b'{"predictions": []}', "its answer is no score: IndexError"),
        (b'{"scores": [1]}', "its answer is no score: KeyError"),
        (b'{"predictions": [null]}', "its answer is no score: TypeError"),
        (b'{"predictions": [NaN]}', "its score is nan"),
    ],
)
def test_response_without_finite_score_fails(delivery, body, message):
    module = delivery["prediction"]
    with pytest.raises(module.PredictionError, match=message):
        module.parse_score(body)


@pytest.fixture
def wait(delivery, monkeypatch):
    """One step of the smoke action of models whose endpoint is as described; its outcome."""
    smoke, outcome = delivery["smoke"], delivery["outcome"]

    def wait(*, waited, changing, bake=600, changed=None):
        models = [{"model": "a", "serving": {"canary": {"bake": bake}}}]
        environment = SimpleNamespace(name="dev")
        monkeypatch.setattr(smoke, "delivered_models", lambda *_: models)
        results = [
            smoke.Result("pending", "a v2: the endpoint is as it is", changing),
            smoke.Result("passed", "b v1 answered"),
        ]
        monkeypatch.setattr(smoke, "_test", lambda *_: results)
        monkeypatch.setattr(smoke, "revert_all", lambda *_: "")
        monkeypatch.setattr(smoke.time, "time", lambda: NOW)
        token = {"since": NOW - waited} | ({"changed": changed} if changed else {})
        return smoke.smoke(outcome.Job("j", "smoke", "dev", "e1", token, [], {}), environment)

    return wait


def test_smoke_test_waits_for_longest_bake(wait, delivery):
    outcome = wait(waited=7300, changing=True, bake=3600)
    assert outcome == delivery["outcome"].InProgress(
        "a v2: the endpoint is as it is", {"since": NOW - 7300, "changed": NOW}
    )


def test_smoke_test_fails_when_no_deployment_begins(wait):
    outcome = wait(waited=3601, changing=False, bake=3600)
    assert outcome.message == "smoke test in dev failed: model a v2: the endpoint is as it is for 3601 s"


def test_smoke_test_waits_an_hour_after_last_change(wait, delivery):
    in_progress = delivery["outcome"].InProgress
    assert isinstance(wait(waited=8000, changing=False, bake=3600, changed=NOW - 3000), in_progress)
    assert not isinstance(wait(waited=8000, changing=False, bake=3600, changed=NOW - 3601), in_progress)


def test_smoke_test_ends_after_two_deployments(wait, delivery):
    assert isinstance(wait(waited=9720, changing=True), delivery["outcome"].InProgress)
    assert not isinstance(wait(waited=9721, changing=True), delivery["outcome"].InProgress)


def test_longest_wait_fits_action_and_deployment_fits_sagemaker(delivery):
    models = [{"serving": {"canary": {"bake": bake}}} for bake in (0, 3600)]
    assert 2 * 3600 < delivery["smoke"].longest_wait(models) < 24 * 3600
    assert delivery["smoke"].longest_wait([]) > 0
    assert 600 <= delivery["smoke"].deployment_seconds(3600) <= 28800
