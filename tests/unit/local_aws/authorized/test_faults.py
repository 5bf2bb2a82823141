"""Faults on demand: throttled calls, lost answers, killed processes; administrators' calls never fail."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.faults import Fault

from .conftest import REGION
from .test_functions import function, role_arn  # noqa: F401

READ_AND_WRITE = {"Action": "ssm:*", "Resource": "*"}


@pytest.fixture
def add(local):
    def add(**fault):
        local.post("faults", **fault)

    yield add
    local.post("faults/clear")


@pytest.fixture
def as_role(local, role):
    """A client of a role that may use Parameter Store."""
    arn = role(READ_AND_WRITE, service="lambda")

    def make(attempts=1):
        keys = {
            name.lower(): value
            for name, value in local.accounts.assume(arn, "test").items()
            if "KEY" in name or "TOKEN" in name
        }
        config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
        return boto3.client("ssm", region_name=REGION, endpoint_url=local.endpoint_url, config=config, **keys)

    return make


def put(ssm, name="/faults"):
    ssm.put_parameter(Name=name, Value="1", Type="String", Overwrite=True)


def test_every_third_call_is_throttled_and_retried(add, as_role, local):
    add(action="throttle", every=3)
    ssm = as_role()
    put(ssm)
    put(ssm)
    with pytest.raises(ClientError, match="ThrottlingException") as refused:
        put(ssm)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    put(as_role(attempts=2))
    put(as_role(attempts=2))
    put(as_role(attempts=2))  # its first attempt is the sixth call


def test_lost_answer_is_carried_out(add, as_role, client):
    add(action="lose", service="ssm", operation="PutParameter", times=1)
    with pytest.raises(ClientError, match="InternalFailure"):
        put(as_role(), "/lost")
    assert client("ssm").get_parameter(Name="/lost")["Parameter"]["Value"] == "1"
    put(as_role(), "/lost")


def test_faults_of_other_operations_and_roles_do_not_matter(add, as_role, client):
    add(action="throttle", service="ssm", operation="GetParameter")
    add(action="throttle", role="somebody-else")
    put(as_role())
    add(action="throttle")
    put(client("ssm"))  # an administrator


CODE = """
import boto3
def handle(event, context):
    boto3.client("ssm").put_parameter(Name="/killed", Value="1", Type="String", Overwrite=True)
    return "called"
"""


def test_function_is_killed_after_its_call(add, client, function):  # noqa: F811
    call = function("handle", CODE)
    add(action="kill", service="ssm", operation="PutParameter", times=1)
    assert "Runtime exited with error: signal: SIGKILL" in call()[1]["errorMessage"]
    assert client("ssm").get_parameter(Name="/killed")["Parameter"]["Value"] == "1"
    assert call()[1] == "called"


def test_share_of_calls_repeats_with_its_seed():
    def hits(seed):
        fault = Fault("throttle", share=0.1, seed=seed)
        return [fault.hits("s3", "GetObject", "role") for _ in range(1000)]

    assert hits(1) == hits(1) != hits(2)
    assert 60 < sum(hits(1)) < 140


def test_unknown_attribute_is_refused(local):
    with pytest.raises(ValueError, match="unexpected keyword argument 'often'"):
        local.faults.control({"action": "lose", "often": 3})
    with pytest.raises(ValueError, match="none of throttle, lose and kill"):
        local.faults.control({"action": "explode"})
