"""A training on two instances: XGBoost's collective adds up their histograms. Needs a package index, or uv's cache.

It becomes a later version of the model of the other tests.
"""

import pytest
import yaml

from .auditor import auditor
from .conftest import FIXTURES, records
from .test_alarm_chain import retrain

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
MODEL = '''"""Boosted trees that two instances train, each on its share of the rows."""

import socket
import time
from contextlib import contextmanager

import pandas as pd
import xgboost
from xgboost.collective import CommunicatorContext
from xgboost.tracker import RabitTracker

COLUMNS = ["x", "red"]
PORT = 9099


def features(raw: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"x": raw["x"], "red": (raw["colour"] == "red") * 1.0})


def train(train, validation, hyperparameters, hosts):
    own = train[hosts.index :: len(hosts.names)]
    print(f"{hosts.current} has {len(own)} of {len(train)} rows")
    settings = {"objective": "binary:logistic", "nthread": 1, **hyperparameters}
    with together(hosts):
        return xgboost.train(settings, xgboost.DMatrix(own[COLUMNS], own["sold"]), num_boost_round=20)


def predict(model, features):
    return model.predict(xgboost.DMatrix(features[COLUMNS]))


@contextmanager
def together(hosts):
    """XGBoost adds up what the hosts compute, inside of it; the first host has its tracker."""
    address = socket.gethostbyname(hosts.names[0])
    if hosts.index == 0:
        tracker = RabitTracker(len(hosts.names), address, PORT, sortby="task")
        tracker.start()
    while not listens(address):
        time.sleep(0.5)
    with CommunicatorContext(dmlc_tracker_uri=address, dmlc_tracker_port=PORT, dmlc_task_id=hosts.current):
        yield
    if hosts.index == 0:
        tracker.wait_for()


def listens(address):
    try:
        socket.create_connection((address, PORT)).close()
    except ConnectionRefusedError:
        return False
    return True
'''
TRAINING = {"framework": "xgboost", "instance_count": 2, "hyperparameters": {"max_depth": 3}}


@pytest.fixture(scope="module")
def trained(live):
    """The model's newest version, which two instances trained, in service."""
    folder = live.root / "models" / live.model
    before = {name: (folder / name).read_text() for name in ("model.py", "model.yaml")}
    (folder / "model.py").write_text(MODEL)
    settings = (FIXTURES / "models" / "sales" / "model.yaml").read_text()
    (folder / "model.yaml").write_text(settings + yaml.safe_dump({"training": TRAINING}))
    stacks = live.session.names.foundation_stack, live.names.stack
    live.deploy(*stacks, output="cdk.out.several")
    retrain(live, "several instances")
    yield live
    for name, text in before.items():
        (folder / name).write_text(text)
    live.deploy_again(live.names.stack)


def test_version_of_two_instances_answers(trained):
    live = trained
    sagemaker = live.client("sagemaker")
    newest = sagemaker.list_training_jobs(SortOrder="Descending")["TrainingJobSummaries"][0]["TrainingJobName"]
    job = sagemaker.describe_training_job(TrainingJobName=newest)
    assert job["ResourceConfig"]["InstanceCount"] == 2
    logs, group = live.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{newest}/")["logStreams"]
    lines = {}
    for name, stream in zip(("algo-1", "algo-2"), streams, strict=True):
        events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        lines[name] = "\n".join(event["message"] for event in events)
    shares = [int(lines[name].partition(f"{name} has ")[2].split()[0]) for name in lines]
    assert 0 <= shares[0] - shares[1] <= 1 < min(shares)
    assert "algo-1 saves the model" in lines["algo-2"]
    data = records(400, seed=5)
    scores, sold = live.predict(data), data["sold"].to_numpy() == 1
    assert sum(s for s, yes in zip(scores, sold, strict=True) if yes) / sold.sum() > 0.55


def test_version_of_two_instances_is_reproduced_on_aws_only(trained, tmp_path, monkeypatch):
    version = trained.reader.live_version()
    with auditor(trained, tmp_path, monkeypatch, "reproduce") as run:
        code, text = run(f"{trained.model}@{version}")
        assert code == 0, text
        assert "the same scores are expected, and the same bytes need unknown conditions" in text
        code, text = run(f"{trained.model}@{version}", "--local")
        assert (code, "2 instances trained it" in text) == (2, True), text
