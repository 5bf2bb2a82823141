"""Every permission of every policy is needed: without it, something of the loop is refused."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace

import pytest

from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.waiting import wait_for

from .only_on_aws import ONLY_ON_AWS
from .recorded import Permission, deployed_resource_policies, deployed_roles, permissions
from .whole_loop import live_the_whole_loop

pytestmark = [pytest.mark.e2e, pytest.mark.permissions]
ENVIRONMENTS = ("dev", "prod")


@pytest.fixture(scope="module")
def unneeded(live, recorder):
    """After the whole loop: the permissions whose removal would not have denied a recorded request."""
    live_the_whole_loop(live)
    needed: dict[Permission, bool] = {}
    for name in ENVIRONMENTS:
        session = live.session.project.environment(name)
        held = [
            (role, *found) for role, found in deployed_roles(session.client("iam"), f"{session.names.prefix}-").items()
        ]
        held += [(holder, None, document) for holder, document in deployed_resource_policies(session).items()]
        for holder, role_arn, document in held:
            for permission in permissions(holder, document):
                # The same permission in another environment has another account and other names in its resources.
                same = replace(permission, value=anonymous(permission.value, session))
                needed[same] = needed.get(same, False) or recorder.needs(document, permission, role_arn)
    assert len(needed) > 150
    return [permission for permission, is_needed in needed.items() if not is_needed]


def anonymous(value, session):
    value = re.sub(":key/.*", ":key/KEY", value.replace(session.environment.account, "ACCOUNT"))
    value = re.sub("/(subnet|sg)-[0-9a-f]+", "/ID", value)
    return value.replace(session.names.prefix, "PREFIX").replace(f"/{session.environment.name}/", "/ENVIRONMENT/")


def test_a_permission_less_breaks_the_loop(unneeded):
    rest = [permission for permission in unneeded if (permission.holder, permission.value) not in ONLY_ON_AWS]
    assert not rest, "nothing needs:\n" + "\n".join(map(str, rest))


def test_what_only_aws_needs_is_deployed_and_really_not_used_here(unneeded):
    assert set(ONLY_ON_AWS) <= {(permission.holder, permission.value) for permission in unneeded}


@contextmanager
def removed(factory, role, action):
    """The role `role` of the factory's environment without `action`, for a while."""
    iam, name = factory.client("iam"), f"{factory.session.names.prefix}-{role}"
    whole = iam.get_role_policy(RoleName=name, PolicyName="Work")["PolicyDocument"]
    less = json.loads(json.dumps(whole))
    for statement in less["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [each for each in actions if each != action]
    less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
    assert less != whole
    iam.put_role_policy(RoleName=name, PolicyName="Work", PolicyDocument=json.dumps(less))
    try:
        yield f"assumed-role/{name}/"
    finally:
        iam.put_role_policy(RoleName=name, PolicyName="Work", PolicyDocument=json.dumps(whole))


@pytest.mark.parametrize(
    ("role", "action", "step"),
    [
        ("sales-train", "sagemaker:CreateProcessingJob", "Prepare"),
        ("sales-train", "iam:PassRole", "Prepare"),
        ("sales-train-job", "s3:GetObjectVersion", "Prepare"),
        ("sales-train-job", "s3:PutObject", "Prepare"),
    ],
)
def test_a_training_without_it_fails_with_the_refusal(live, role, action, step):
    with removed(live, role, action) as principal:
        finished = live.retrain(f"without {action}")
    assert finished.status == "Failed"
    assert f"Step {step} failed" in finished.reason
    assert principal in finished.reason
    assert f"is not authorized to perform: {action} on resource: " in finished.reason


def test_a_monitor_that_may_not_publish_fails(live):
    before = live.newest(live.names.monitor_pipeline)
    with removed(live, "sales-monitor-job", "cloudwatch:PutMetricData"):
        live.tick("monitor")
        finished = live.next_execution(live.names.monitor_pipeline, before)
    assert finished.status == "Failed"
    assert "not authorized to perform: cloudwatch:PutMetricData on resource: *" in finished.reason


def test_a_schedule_that_may_not_send_is_refused(live):
    with removed(live, "scheduler", "sqs:SendMessage"):
        why = live.refused("tick", schedule=live.names.schedule("retrain"))
    assert "not authorized to perform: sqs:SendMessage on resource: " in why


def test_an_endpoint_that_may_not_read_the_model_keeps_the_old_fleet(live):
    sagemaker, endpoint = live.client("sagemaker"), live.names.endpoint
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    with removed(live, "sales-endpoint", "s3:GetObject"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        wait_for("the end of the update", lambda: live.endpoint_status() == "InService" or None, 120)
        assert "403" in sagemaker.describe_endpoint(EndpointName=endpoint)["FailureReason"]


def test_a_retrain_function_that_may_not_start_puts_the_message_aside(live):
    before = live.newest(live.names.training_pipeline)
    with removed(live, "retrain", "sagemaker:StartPipelineExecution"):
        send_manual_trigger(live.session, "retrain", live.model, "without the permission")
        live.take_from(live.session.names.dead_letter_queue("retrain"))
    assert live.newest(live.names.training_pipeline) == before
    assert "not authorized to perform: sagemaker:StartPipelineExecution on resource: " in live.skipped_reasons()


def test_the_server_counts_calls_by_role(live):
    report = live.local.authorization.report()
    account, prefix = live.session.environment.account, live.names.prefix
    assert report["calls_by_principal"][f"arn:aws:iam::{account}:role/{prefix}-train-job"] > 10
    assert report["calls"] == sum(report["calls_by_principal"].values()) <= report["permissions_checked"]
