"""Several instances: each trains on its share of the rows, and the first one saves the model."""

import json
import socket

import pytest

from jobs import hosts, train
from jobs.failures import JobFailure

from .conftest import MODEL
from .test_train import channels

DIVIDES = """
def features(raw):
    return raw

def train(train, validation, hyperparameters, hosts):
    own = train[hosts.index :: len(hosts.names)]
    return {"host": hosts.current, "rows": own.index.tolist()} if hosts.index == 0 else None

def predict(model, features):
    return features["x"] * 0.0
"""


@pytest.fixture
def looked_up(monkeypatch):
    """Names of hosts as they are looked up; the first two times they are not known."""
    found = []

    def look_up(name, port):
        found.append(name)
        if len(found) <= 2:
            raise socket.gaierror(-2, "Name or service not known")
        return []

    monkeypatch.setattr(hosts.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(hosts, "WAIT_SECONDS", 0)
    return found


@pytest.fixture
def on_host(ml, monkeypatch, looked_up):
    """Makes this process one of several hosts."""
    monkeypatch.setattr(train, "copy_code", lambda target, source=None: None)

    def on(current, names):
        content = json.dumps({"current_host": current, "hosts": names, "current_instance_type": "ml.m5.large"})
        (ml / "input/config").mkdir(parents=True, exist_ok=True)
        (ml / "input/config/resourceconfig.json").write_text(content)

    return on


def test_without_resource_configuration_there_is_one_host(ml):
    assert hosts.read() == hosts.Hosts(["algo-1"], "algo-1")
    assert hosts.read().index == 0


def test_hosts_are_in_the_same_order_on_each(on_host):
    names = [f"algo-{number}" for number in range(11, 0, -1)]
    on_host("algo-10", names)
    assert (hosts.read().names, hosts.read().index) == (sorted(names), 1)


def test_training_waits_until_names_of_hosts_are_resolved(looked_up, monkeypatch):
    hosts.wait_until_resolved(["algo-1", "algo-2"])
    assert looked_up == ["algo-1", "algo-1", "algo-1", "algo-2"]
    looked_up.clear()
    monkeypatch.setattr(hosts, "RESOLVED_SECONDS", -1)
    with pytest.raises(JobFailure, match="the host algo-1 of this training cannot be resolved"):
        hosts.wait_until_resolved(["algo-1"])


def test_only_first_host_saves_model_and_facts(project, ml, records, on_host, capsys):
    project(code=DIVIDES)
    channels(ml, records(20))
    on_host("algo-2", ["algo-1", "algo-2"])
    train.run()
    assert not [path for part in ("model", "output") for path in (ml / part).rglob("*")]
    assert "algo-1 saves the model" in capsys.readouterr().out

    on_host("algo-1", ["algo-1", "algo-2"])
    train.run()
    assert (ml / "model/serving.json").exists()
    facts = json.loads((ml / "output/data/facts.json").read_text())
    assert (facts["hosts"], facts["identical"]["same_bytes"]) == (2, "unknown conditions")
    assert "hosts     algo-1, algo-2; this is algo-1" in capsys.readouterr().out


def test_first_host_must_return_model(project, ml, records, on_host):
    project(code=DIVIDES.replace("hosts.index == 0", "False"))
    channels(ml, records(20))
    on_host("algo-1", ["algo-1", "algo-2"])
    with pytest.raises(JobFailure, match="must return the fitted model; it returned None"):
        train.run()


def test_function_without_hosts_is_refused_on_several_instances(project, ml, records, on_host):
    project(code=MODEL)
    channels(ml, records(20))
    on_host("algo-2", ["algo-1", "algo-2"])
    with pytest.raises(JobFailure, match="has 2 instances, and each would train the same model"):
        train.run()


def test_function_with_hosts_trains_on_one_instance(project, ml, records, monkeypatch):
    monkeypatch.setattr(train, "copy_code", lambda target, source=None: None)
    project(code=DIVIDES)
    channels(ml, records(20))
    train.run()
    facts = json.loads((ml / "output/data/facts.json").read_text())
    assert "hosts" not in facts
