"""Event source mappings of FIFO queues: groups at the same time, the order of a group, and limits of concurrency."""

import io
import queue
import socket
import threading
import uuid
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import ACCOUNT, REGION, document, handler_zip, trust

SECONDS = 30
MEET = """
import socket

def meet(event, context):
    with socket.create_connection(("127.0.0.1", event), timeout=20) as connection:
        return connection.recv(1).decode()
"""


class Invocations:
    """Stands in for a function's code: each invocation waits until the test lets its message end."""

    def __init__(self):
        self.started, self.handled, self.most, self.fail = queue.Queue(), [], 0, set()
        self._running, self._lock, self._ends = Counter(), threading.Condition(), {}

    def invoke(self, function, event):
        (record,) = event["Records"]
        body, group = record["body"], record["attributes"]["MessageGroupId"]
        with self._lock:
            self._running[group] += 1
            assert self._running[group] == 1, f"two invocations of group {group} at the same time"
            self.most = max(self.most, sum(self._running.values()))
            ends = self._ends.setdefault(body, threading.Event())
        self.started.put(body)
        assert ends.wait(SECONDS)
        with self._lock:
            self._running[group] -= 1
            self.handled.append(body)
            failed = body in self.fail
            self.fail.discard(body)
            self._lock.notify_all()
        return ({"error": {"errorMessage": "it broke"}} if failed else {"result": None}), ""

    def end(self, body):
        with self._lock:
            self._ends.setdefault(body, threading.Event()).set()

    def wait_for(self, count):
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.handled) == count, SECONDS)

    def next(self):
        return self.started.get(timeout=SECONDS)


@pytest.fixture
def invocations(local, monkeypatch):
    made = Invocations()
    monkeypatch.setattr(local.functions, "_invoke", made.invoke)
    return made


@pytest.fixture
def function(client):
    """A function whose role may do everything; its name."""
    name = f"f-{uuid.uuid4().hex[:8]}"
    iam, functions = client("iam"), client("lambda")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda"))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document({"Action": "*", "Resource": "*"}))
    functions.create_function(
        FunctionName=name, Runtime="python3.12", Role=arn, Handler="handler.handle", Code={"ZipFile": handler_zip()}
    )
    yield name
    functions.delete_function(FunctionName=name)


@pytest.fixture
def send(client, function):
    """Creates a FIFO queue that the function reads; sends messages to it, whose group is the body's first letter."""
    sqs, name = client("sqs"), f"{function}.fifo"
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    made = []

    def send(*bodies, **mapping):
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
        created = client("lambda").create_event_source_mapping(
            FunctionName=function, EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", BatchSize=1, **mapping
        )
        made.append(created["UUID"])

    yield send
    for each in made:
        client("lambda").delete_event_source_mapping(UUID=each)
    sqs.delete_queue(QueueUrl=url)


def test_groups_are_handled_at_the_same_time(send, invocations):
    send("a1", "a2", "b1", "c1")
    assert {invocations.next() for _ in range(3)} == {"a1", "b1", "c1"}
    invocations.end("a1")
    assert invocations.next() == "a2"
    for body in ("a2", "b1", "c1"):
        invocations.end(body)


def test_maximum_concurrency_and_order_of_groups_are_kept(send, invocations):
    bodies = [f"{group}{number}" for number in (1, 2, 3) for group in "abcd"]
    invocations.fail = {"a1"}
    send(*bodies, ScalingConfig={"MaximumConcurrency": 2})
    assert {invocations.next() for _ in range(2)} == {"a1", "b1"}
    for body in bodies:
        invocations.end(body)
    invocations.wait_for(len(bodies) + 1)
    assert invocations.most == 2
    assert [body for body in invocations.handled if body[0] == "a"] == ["a1", "a1", "a2", "a3"]
    for group in "bcd":
        assert [body for body in invocations.handled if body[0] == group] == [f"{group}{n}" for n in (1, 2, 3)]


def test_reserved_concurrency_limits_groups(client, function, send, invocations):
    client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    send("a1", "b1", "c1")
    for _ in range(3):
        invocations.end(invocations.next())
    invocations.wait_for(3)
    assert invocations.most == 1
    assert sorted(invocations.handled) == ["a1", "b1", "c1"]


def test_invocations_at_the_same_time_have_processes_of_their_own(client, function):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", MEET)
    client("lambda").update_function_code(FunctionName=function, ZipFile=content.getvalue())
    client("lambda").update_function_configuration(FunctionName=function, Handler="handler.meet", Timeout=30)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(2) as pool:
        listener.settimeout(SECONDS)
        port = str(listener.getsockname()[1])
        calls = [pool.submit(client("lambda").invoke, FunctionName=function, Payload=port) for _ in range(2)]
        connections = [listener.accept()[0] for _ in calls]  # of both, before either gets an answer
        for connection in connections:
            connection.send(b"x")
            connection.close()
        assert [call.result()["Payload"].read() for call in calls] == [b'"x"', b'"x"']
