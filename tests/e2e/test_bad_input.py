"""Invalid data and code: the training fails with the reason, a notification is sent, the live version stays."""

import pytest

from model_factory.ops.lineage.forward import readings
from model_factory.ops.waiting import wait_for

from .conftest import records

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def assert_training_fails(factory, alerts, *words: str) -> None:
    """A training fails; its reason and the notification contain these words; the live version does not change."""
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
    "label not in the data": (records(200).drop(columns="sold"), ("sold",)),
    "empty partition": ("x,y,colour,sold\n", ("dt=2026-12-01", "empty")),
    "empty file": ("", ("dt=2026-12-01", "empty")),
    "missing column": (records(200).drop(columns="colour"), ("colour", "missing")),
    "value not in the list": (records(200).assign(colour="violet"), ("colour", "200")),
    "nulls in a column that is not nullable": (records(200).assign(x=None), ("x", "200")),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_invalid_data_fails_training_with_reason(live, alerts, case):
    data, words = BAD_DATA[case]
    live.upload_records(data, "2026-12-01")
    bucket = live.session.names.bucket("data")
    try:
        assert_training_fails(live, alerts, *words)
        uri = f"s3://{bucket}/{live.model}/raw/dt=2026-12-01/part-0.csv"
        version = live.client("s3").head_object(Bucket=bucket, Key=uri.partition(f"{bucket}/")[2])["VersionId"]
        read = wait_for("the marker of the failed training", lambda: readings(live.session, uri, version) or None)
        assert [each.version for each in read] == [None]
    finally:
        live.delete_records("2026-12-01")


def test_model_below_minimum_is_rejected_with_reason(live, alerts):
    noise = records(3000, seed=3)
    noise["sold"] = noise["sold"].sample(frac=1, random_state=1).to_numpy()
    live.upload_records(noise, "2026-12-01")
    try:
        assert_training_fails(live, alerts, "auc", "below the minimum")
    finally:
        live.delete_records("2026-12-01")


BAD_CODE = {
    "no predict": ("def predict(", "def predikt(", ("model.py", "predict(model, features)")),
    "train raises": (
        "    return LogisticRegression()",
        '    raise ValueError("the solver does not converge")\n    return LogisticRegression()',
        ("the solver does not converge", "model.py", "line"),
    ),
}


@pytest.fixture(scope="module")
def model_code(live):
    """Path and content of model.py; it is restored and deployed after the tests."""
    path = live.root / "models/sales/model.py"
    good = path.read_text()
    yield path, good
    path.write_text(good)
    live.deploy_again(live.names.stack)


@pytest.mark.parametrize("case", BAD_CODE)
def test_invalid_code_fails_training_with_line_of_model_py(live, alerts, model_code, case):
    old, new, words = BAD_CODE[case]
    path, good = model_code
    path.write_text(good.replace(old, new))
    live.deploy(live.names.stack, output="bad.out")
    assert_training_fails(live, alerts, *words)
