"""Facts of a run: libraries that were loaded, job, instance, threads and seed."""

import argparse
import json
import sys

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


class Distribution:
    """An installed one, of these files."""

    def __init__(self, name, **files):
        self.name, self.files = name, files

    def read_text(self, name):
        return self.files.get(name.partition(".")[0])

    @property
    def metadata(self):
        assert self.name != "unused", "the description of a library that was not loaded is read"
        return {"Name": self.name, "Version": "1"}


def test_libraries_are_found_by_declared_packages_or_files(monkeypatch):
    installed = [
        Distribution("Of-Folder", RECORD='"json/a,b.py",sha256=x,1\njson/__init__.py,,\n'),
        Distribution("of-module", RECORD="../../bin/run,,\nargparse.py,sha256=x,1\n"),
        Distribution("declared", top_level="numpy\n", RECORD="other.py,,"),
        Distribution("unused", top_level="nowhere", RECORD="json/__init__.py,,"),
        Distribution("empty"),
    ]
    monkeypatch.setitem(sys.modules, "argparse", argparse)
    monkeypatch.setattr(facts.metadata, "distributions", lambda: installed)
    assert facts.loaded_libraries() == {"declared": "1", "Of-Folder": "1", "of-module": "1"}


def test_threads_are_those_that_libraries_use(ml):
    with threadpoolctl.threadpool_limits(3):
        found = facts.of_run("train", 0)
    assert found["threads"] == 3
    assert {pool["threads"] for pool in found["thread_pools"]} == {3}
