"""Facts of a run: libraries that were loaded, job, instance, threads and seed."""

import json

import numpy as np
import threadpoolctl

from jobs import facts


def test_processing_facts_name_job_instance_and_libraries(ml, monkeypatch):
    monkeypatch.setenv("IMAGE", "registry/sklearn:1.9")
    (ml / "config").mkdir()
    cluster = {"ClusterConfig": {"InstanceType": "ml.m5.large"}}
    job = {"ProcessingJobName": "p-1", "ProcessingJobArn": "arn:p-1", "ProcessingResources": cluster}
    (ml / "config/processingjobconfig.json").write_text(json.dumps(job))
    facts.write(ml / "out", facts.of_run("prepare", 7))
    found = json.loads((ml / "out/facts.json").read_text())
    assert found["job"] == {"name": "p-1", "arn": "arn:p-1"}
    assert (found["command"], found["instance"], found["image"]) == ("prepare", "ml.m5.large", "registry/sklearn:1.9")
    assert found["seed"] == 7
    assert found["libraries"]["numpy"] == np.__version__


def test_training_facts_come_from_sagemakers_variables(ml, monkeypatch):
    monkeypatch.setenv("TRAINING_JOB_NAME", "t-1")
    monkeypatch.setenv("TRAINING_JOB_ARN", "arn:t-1")
    (ml / "input/config").mkdir(parents=True)
    (ml / "input/config/resourceconfig.json").write_text('{"current_instance_type": "ml.c5.xlarge"}')
    found = facts.of_run("train", 0)
    assert (found["job"], found["instance"]) == ({"name": "t-1", "arn": "arn:t-1"}, "ml.c5.xlarge")


def test_libraries_that_were_not_loaded_are_left_out(ml):
    names = list(facts.loaded_libraries())
    assert names == sorted(names, key=str.lower)
    assert "threadpoolctl" in names
    assert "cfn-lint" not in names


def test_threads_are_those_that_libraries_use(ml):
    with threadpoolctl.threadpool_limits(3):
        found = facts.of_run("train", 0)
    assert found["threads"] == 3
    assert {pool["threads"] for pool in found["thread_pools"]} == {3}
