"""Jobs wait for a core of the machine."""

import threading
from types import SimpleNamespace

import pytest

from local_aws.sagemaker.jobs import api as jobs


@pytest.fixture
def service():
    return SimpleNamespace(cores=threading.Semaphore(1), stopping=threading.Event())


@pytest.fixture(autouse=True)
def short_wait(monkeypatch):
    monkeypatch.setattr(jobs, "WAIT_SECONDS", 0.01)


def test_jobs_run_at_most_one_for_each_core(service):
    running, most, lock = 0, 0, threading.Lock()

    def run(job):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return "Completed", ""

    kind = jobs.Kind("Training", "training_jobs", run)
    records = [{} for _ in range(3)]
    job = SimpleNamespace(stopped=False)
    threads = [threading.Thread(target=kind._run_on_a_core, args=(service, record, job)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1
    assert all("TrainingStartTime" in record for record in records)


@pytest.mark.parametrize("end", ["job", "server"])
def test_waiting_job_can_be_stopped(service, end):
    kind = jobs.Kind("Processing", "processing_jobs", lambda _: pytest.fail("it ran"))
    service.cores.acquire()
    if end == "server":
        service.stopping.set()
    job, record = SimpleNamespace(stopped=end == "job"), {}
    assert kind._run_on_a_core(service, record, job) == ("Stopped", "")
    assert record == {}


def test_core_is_free_after_a_job_that_raises(service):
    def run(job):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        jobs.Kind("Training", "training_jobs", run)._run_on_a_core(service, {}, SimpleNamespace(stopped=False))
    assert service.cores.acquire(blocking=False)
