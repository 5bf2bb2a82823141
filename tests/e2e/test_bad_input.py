"""What goes wrong is told in the user's words, the endpoint keeps serving, and a person is alerted."""

import pytest

from .conftest import records

pytestmark = pytest.mark.e2e


def fails_with(factory, alerts, *words: str) -> None:
    """A training by hand fails with these words, is alerted, and leaves the live version alone."""
    version = factory.reader.live_version()
    finished = factory.retrain("bad input")
    assert finished.status == "Failed"
    assert all(word in finished.reason for word in words), finished.reason
    assert "Traceback" not in finished.reason
    alert = alerts(factory.names.training_pipeline)
    assert all(word in alert for word in words), alert
    assert factory.reader.live_version() == version
    assert len(factory.predict(records(5))) == 5


BAD_DATA = {
    "a label that is not in the data": (records(200).drop(columns="sold"), ("sold",)),
    "an empty partition": ("x,y,colour,sold\n", ("dt=2026-12-01", "empty")),
    "an empty file": ("", ("dt=2026-12-01", "empty")),
    "a missing column": (records(200).drop(columns="colour"), ("colour", "missing")),
    "a value out of the list": (records(200).assign(colour="violet"), ("colour", "200")),
    "nulls where there must be none": (records(200).assign(x=None), ("x", "200")),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_fails_the_training_with_the_reason(live, alerts, case):
    data, words = BAD_DATA[case]
    live.land(data, "2026-12-01")
    try:
        fails_with(live, alerts, *words)
    finally:
        live.remove("2026-12-01")


def test_a_model_that_is_not_good_enough_is_rejected_in_words(live, alerts):
    noise = records(3000, seed=3)
    noise["sold"] = noise["sold"].sample(frac=1, random_state=1).to_numpy()
    live.land(noise, "2026-12-01")
    try:
        fails_with(live, alerts, "auc", "below the minimum")
    finally:
        live.remove("2026-12-01")


BAD_CODE = {
    "no predict": ("def predict(", "def predikt(", ("model.py", "predict(model, features)")),
    "a training that raises": (
        "    return LogisticRegression()",
        '    raise ValueError("the solver is out of coffee")\n    return LogisticRegression()',
        ("the solver is out of coffee", "model.py", "line"),
    ),
}


@pytest.fixture(scope="module")
def code(live):
    """model.py of the deployed factory, which is as it was after the tests."""
    path = live.root / "models/sales/model.py"
    good = path.read_text()
    yield path, good
    path.write_text(good)
    live.deploy(live.names.stack)


@pytest.mark.parametrize("case", BAD_CODE)
def test_bad_code_fails_the_training_with_the_users_own_line(live, alerts, code, case):
    old, new, words = BAD_CODE[case]
    path, good = code
    path.write_text(good.replace(old, new))
    live.deploy(live.names.stack)
    fails_with(live, alerts, *words)
