"""Processes of functions and invocations of a queue's mapping, without a function's code."""

import threading
from types import SimpleNamespace

import pytest

from local_aws import functions, pollers


class Process:
    """A function's process. An invocation lasts until `end` is set."""

    made = ()

    def __init__(self, local, starter, function):
        self.lock, self.closed, self.log_group = threading.Lock(), False, ""
        self.begun, self.end = threading.Event(), threading.Event()
        Process.made = (*Process.made, self)

    def invoke(self, event, request_id):
        self.begun.set()
        self.end.wait(10)
        return {"result": "closed" if self.closed else event}

    def alive(self):
        return not self.closed

    def new_log(self):
        return ""

    def close(self):
        self.closed = True


@pytest.fixture
def invoker(monkeypatch):
    monkeypatch.setattr(functions, "Worker", Process)
    monkeypatch.setattr(functions.Functions, "_write_log", lambda *_: None)
    monkeypatch.setattr(Process, "made", ())
    authorization = SimpleNamespace(take_role=lambda *_: None)
    made = functions.Functions(SimpleNamespace(on_stop=lambda _: None, authorization=authorization))
    monkeypatch.setattr(made._concurrency, "invocation", lambda _: threading.Lock())
    return made


def function(code):
    return SimpleNamespace(
        function_arn="arn", code_sha_256=code, environment_vars={}, role="role", handler="handler", timeout=3
    )


def start(invoker, code, event):
    """Begin an invocation; its process, its thread and the list that gets the answer."""
    answers, before = [], len(Process.made)
    thread = threading.Thread(target=lambda: answers.append(invoker.invoke(function(code), event)[0]))
    thread.start()
    while len(Process.made) == before and thread.is_alive():
        thread.join(0.001)
    process = Process.made[-1]
    assert process.begun.wait(10)
    return process, thread, answers


def test_running_invocation_ends_although_function_is_updated(invoker):
    old, old_thread, old_answers = start(invoker, "1", "first")
    new, new_thread, _ = start(invoker, "2", "second")
    assert not old.closed
    old.end.set()
    old_thread.join()
    assert (old_answers, old.closed, new.closed) == ([{"result": "first"}], True, False)
    new.end.set()
    new_thread.join()
    assert not new.closed


def test_idle_process_of_earlier_code_is_closed(invoker):
    old, thread, _ = start(invoker, "1", "first")
    old.end.set()
    thread.join()
    new, thread, _ = start(invoker, "2", "second")
    assert old.closed
    invoker.close()
    assert new.closed
    new.end.set()
    thread.join()


def test_processes_of_earlier_code_end_with_embedded_aws(invoker):
    old, old_thread, _ = start(invoker, "1", "first")
    new, new_thread, _ = start(invoker, "2", "second")
    invoker.close()
    assert old.closed
    for process, thread in ((old, old_thread), (new, new_thread)):
        process.end.set()
        thread.join()


def test_groups_of_one_batch_stay_within_maximum_concurrency(monkeypatch):
    running, most, free = [], [], threading.Event()

    def invoke(_, event):
        running.append(event)
        most.append(len(running))
        free.wait(10)
        running.remove(event)
        return {"result": None}, ""

    monkeypatch.setattr(pollers, "_function", lambda _: SimpleNamespace(role="role"))
    messages = [
        {
            "MessageId": group,
            "ReceiptHandle": group,
            "Body": "",
            "MD5OfBody": "",
            "Attributes": {"MessageGroupId": group},
        }
        for group in ("a", "b", "c")
    ]
    deleted = []
    sqs = SimpleNamespace(
        get_queue_attributes=lambda **_: {},
        receive_message=lambda **_: {"Messages": messages},
        delete_message=lambda ReceiptHandle, **_: deleted.append(ReceiptHandle),
    )
    local = SimpleNamespace(
        endpoint_url="", functions=SimpleNamespace(invoke=invoke), accounts=SimpleNamespace(role_client=lambda *_: sqs)
    )
    mapping = SimpleNamespace(
        uuid="1",
        event_source_arn="arn:aws:sqs:eu-west-1:1:churn.fifo",
        batch_size=10,
        scaling_config={"MaximumConcurrency": 2},
        function_response_types=[],
    )
    poller = pollers._Poller(local, mapping, threading.Event(), threading.Event())
    monkeypatch.setattr(poller, "_has_messages", lambda: True)
    assert poller._poll()
    while len(most) < 2:
        threading.Event().wait(0.001)
    assert not poller._poll()
    threads = list(poller._running)
    free.set()
    for thread in threads:
        thread.join()
    assert (max(most), sorted(deleted)) == (2, ["a", "b", "c"])
