"""Deployed functions: what Lambda gives them, limits of time and size, and errors in Lambda's words."""

import io
import json
import os
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from local_aws import function_process, namespace

from .conftest import REGION
from .test_services import document, trust

VARIABLES = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"),
    *("AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_FUNCTION_NAME"),
    *("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_LOG_GROUP_NAME"),
    *("AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT", "LANG", "PATH", "TZ", "_HANDLER", "MINE"),
}
CODE = """
import os, sys, pathlib, time

def look(event, context):
    here = pathlib.Path(__file__).parent
    try:
        (here / "new").touch()
        written = True
    except OSError as error:
        written = str(error)
    return {"environment": dict(os.environ), "here": str(here), "tmp": os.listdir("/tmp"), "written": written}

def fill(event, context):
    pathlib.Path("/tmp/large").write_bytes(b"x" * event["bytes"])

def fail(event, context): raise ValueError("no such model")
def leave(event, context): sys.exit(event)
def sleep(event, context): time.sleep(60)
def unknown(event, context): return {1, 2}
def echo(event, context): return event
def large(event, context): return "x" * event
"""
WAIT = """
import time

def wait(event, context): time.sleep(event)
"""
on_mounts = pytest.mark.skipif(
    not namespace.available("/var/task"), reason="this system does not let a process have mounts of its own"
)


@pytest.fixture(scope="module")
def role_arn(local):
    iam = local.session(region=REGION).client("iam")
    name = f"functions-{uuid.uuid4().hex[:8]}"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda"))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document({"Action": "*", "Resource": "*"}))
    return arn


@pytest.fixture
def function(client, role_arn):
    """Creates a function with a handler of CODE, or with code of its own; a call of it."""
    made = []

    def make(handler, code=CODE, timeout=30):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("handler.py", code)
        name = f"f-{uuid.uuid4().hex[:8]}"
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role_arn,
            Handler=f"handler.{handler}",
            Code={"ZipFile": content.getvalue()},
            Environment={"Variables": {"MINE": "yes"}},
            Timeout=timeout,
        )
        made.append(name)

        def call(event=None, **more):
            answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **more)
            return answer.get("FunctionError"), json.loads(answer["Payload"].read())

        call.name = name
        return call

    yield make
    for name in made:
        client("lambda").delete_function(FunctionName=name)


def test_function_gets_documented_variables(function, monkeypatch):
    monkeypatch.setenv("LEAK", "of this process")
    _, seen = function("look")()
    assert set(seen["environment"]) - {"LC_CTYPE"} == VARIABLES
    assert seen["environment"]["PATH"] != os.environ["PATH"]
    assert (seen["environment"]["TZ"], seen["environment"]["AWS_REGION"]) == (":UTC", REGION)


@on_mounts
def test_code_of_function_is_read_only(function):
    _, seen = function("look")()
    assert seen["here"] == seen["environment"]["LAMBDA_TASK_ROOT"] == "/var/task"
    assert "Read-only file system" in seen["written"]


@on_mounts
@pytest.mark.skipif(not function_process.has_own_tmp(), reason="Python is in /tmp, which stays this machine's")
def test_tmp_of_function_has_512_mb(function):
    assert function("look")()[1]["tmp"] == []
    call = function("fill")
    assert call({"bytes": 2**20}) == (None, None)
    failed, error = call({"bytes": 513 * 2**20})
    assert (failed, error["errorType"]) == ("Unhandled", "OSError")
    assert "No space left on device" in error["errorMessage"]


@pytest.mark.parametrize(
    ("handler", "event", "kind", "message"),
    [
        ("fail", None, "ValueError", "no such model"),
        (
            "unknown",
            None,
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
        ("leave", 1, "Runtime.ExitError", "Error: Runtime exited with error: exit status 1"),
        ("leave", 0, "Runtime.ExitError", "Error: Runtime exited without providing a reason"),
        ("nothing", None, "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'handler'"),
        ("large", 6_291_557, "Function.ResponseSizeTooLarge", "maximum allowed payload size (6291556 bytes)"),
    ],
)
def test_error_has_shape_of_lambda(function, handler, event, kind, message):
    failed, error = function(handler)(event)
    assert (failed, error["errorType"]) == ("Unhandled", kind)
    assert error["errorMessage"].endswith(message) or message in error["errorMessage"]


def test_failed_import_is_repeated_at_next_invocation(function):
    call = function("handler", "import nothing_of_this_name")
    for _ in range(2):
        _, error = call()
        assert error["errorType"] == "Runtime.ImportModuleError"
        assert error["errorMessage"] == "Unable to import module 'handler': No module named 'nothing_of_this_name'"


def test_function_does_not_see_modules_of_server(function):
    _, error = function("handler", "import function_process")()
    assert error["errorMessage"] == "Unable to import module 'handler': No module named 'function_process'"


def test_killed_process_is_named_by_its_signal(function):
    _, error = function("handler", "import os\ndef handler(event, context): os.kill(os.getpid(), 9)")()
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: SIGKILL")


def test_function_over_timeout_is_killed(function):
    call = function("sleep", timeout=1)
    failed, error = call()
    assert (failed, error["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert error["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_slow_import_is_repeated_within_timeout(function, monkeypatch):
    monkeypatch.setattr(function_process, "INIT_SECONDS", 0.5)
    _, error = function("handler", "import time; time.sleep(30)", timeout=1)()
    assert error["errorType"] == "Sandbox.Timedout"


def test_loading_does_not_count_as_invocation(function):
    assert function("echo", f"import time; time.sleep(1.2)\n{CODE}", timeout=1)("answer") == (None, "answer")


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)])
def test_payload_over_limit_is_refused(function, kind, limit):
    call = function("large")
    with pytest.raises(
        ClientError, match=rf"byte payload is too large for the {kind} invocation type \(limit {limit} b"
    ):
        call("x" * limit, InvocationType=kind)


def test_payload_that_is_no_json_is_refused(function, client):
    name = function("echo").name
    with pytest.raises(ClientError, match="Could not parse request body into json") as refused:
        client("lambda").invoke(FunctionName=name, Payload=b"churn")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_permission_of_stack_lets_rule_invoke_function(client, function):
    name = function("echo").name
    cloudformation, lambda_ = client("cloudformation"), client("lambda")
    rule = f"arn:aws:events:{REGION}:123456789012:rule/failed"
    properties = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"],
        "Principal": "events.amazonaws.com",
        "SourceArn": rule,
    }
    template = {"Resources": {"Invoke": {"Type": "AWS::Lambda::Permission", "Properties": properties}}}
    stack = f"permission-{uuid.uuid4().hex[:8]}"
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    (statement,) = json.loads(lambda_.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == properties["FunctionName"]
    assert set(statement) == {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    assert list(statement["Condition"].values()) == [{"AWS:SourceArn": rule}]
    cloudformation.delete_stack(StackName=stack)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambda_.get_policy(FunctionName=name)


def test_reserved_concurrency_throttles_further_invocations(function, client):
    call, events = function("wait", WAIT), client("lambda")
    events.put_function_concurrency(FunctionName=call.name, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: outcome(call), range(2)))
    (throttled,) = [each for each in outcomes if each is not None]
    assert throttled["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert throttled["ResponseMetadata"]["HTTPStatusCode"] == 429


def outcome(call):
    """The response of a refused invocation; None when it ran."""
    try:
        call(0.5)
    except ClientError as error:
        return error.response
    return None


def test_throttled_event_waits_until_function_has_concurrency(function, client):
    call, functions = function("wait", WAIT), client("lambda")
    functions.put_function_concurrency(FunctionName=call.name, ReservedConcurrentExecutions=0)
    sent = functions.invoke(FunctionName=call.name, Payload=b"0", InvocationType="Event")
    assert sent["StatusCode"] == 202
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        call(0)
    assert not runs(client, call.name)
    functions.delete_function_concurrency(FunctionName=call.name)
    for _ in range(400):
        if runs(client, call.name):
            return
        time.sleep(0.05)
    raise AssertionError("the event was lost")


def runs(client, name):
    """How often a function has run, by its log."""
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    events = [e for g in groups for e in client("logs").filter_log_events(logGroupName=g["logGroupName"])["events"]]
    return sum(event["message"].startswith("START ") for event in events)


def test_reservation_leaves_hundred_to_other_functions(function, client):
    call = function("echo")
    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
        client("lambda").put_function_concurrency(FunctionName=call.name, ReservedConcurrentExecutions=901)
