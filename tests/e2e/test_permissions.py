"""Least privilege: removing any permission of any policy would deny a request that the tests recorded."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace

import pytest

from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.waiting import wait_for

from .only_on_aws import ONLY_ON_AWS
from .recorder import Permission, deployed_resource_policies, deployed_roles, permissions
from .role_actions import destroy_environment, exercise_all_roles

pytestmark = [pytest.mark.e2e, pytest.mark.permissions]
ENVIRONMENTS = ("dev", "prod")


@pytest.fixture(scope="module")
def unneeded(live, recorder):
    """The permissions whose removal would not have denied a recorded request."""
    exercise_all_roles(live)
    sessions = [live.session.project.environment(name) for name in ENVIRONMENTS]
    deployed = [(session, policies_of(session)) for session in sessions]
    destroy_environment(live, "dev")
    needed: dict[Permission, bool] = {}
    for session, policies in deployed:
        for holder, role_arn, document in policies:
            for permission in permissions(holder, document):
                # The same permission has another account and other resource names in another environment.
                same = replace(permission, value=anonymous(permission.value, session))
                needed[same] = needed.get(same, False) or recorder.needs(document, permission, role_arn)
    assert len(needed) > 150
    return [permission for permission, is_needed in needed.items() if not is_needed]


def policies_of(session):
    """Holder, role and document of every policy that an environment has."""
    roles = deployed_roles(session.client("iam"), f"{session.names.prefix}-")
    policies = [(role, *described) for role, described in roles.items()]
    return policies + [(holder, None, document) for holder, document in deployed_resource_policies(session).items()]


def anonymous(value, session):
    value = re.sub(":key/.*", ":key/KEY", value.replace(session.environment.account, "ACCOUNT"))
    value = re.sub("/(subnet|sg)-[0-9a-f]+", "/ID", value)
    return value.replace(session.names.prefix, "PREFIX").replace(f"/{session.environment.name}/", "/ENVIRONMENT/")


def test_every_permission_is_needed(unneeded):
    rest = [permission for permission in unneeded if (permission.holder, permission.value) not in ONLY_ON_AWS]
    assert not rest, "no recorded request needs:\n" + "\n".join(map(str, rest))


def test_permissions_for_aws_only_are_deployed_and_unused_here(unneeded):
    assert set(ONLY_ON_AWS) <= {(permission.holder, permission.value) for permission in unneeded}


@contextmanager
def without_action(factory, role, action):
    """Context manager that removes `action` from a role's policy."""
    iam, name = factory.client("iam"), factory.session.names.role(role)
    original = iam.get_role_policy(RoleName=name, PolicyName="Work")["PolicyDocument"]
    reduced = json.loads(json.dumps(original))
    for statement in reduced["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [each for each in actions if each != action]
    reduced["Statement"] = [statement for statement in reduced["Statement"] if statement["Action"]]
    assert reduced != original
    iam.put_role_policy(RoleName=name, PolicyName="Work", PolicyDocument=json.dumps(reduced))
    try:
        yield f"assumed-role/{name}/"
    finally:
        iam.put_role_policy(RoleName=name, PolicyName="Work", PolicyDocument=json.dumps(original))


@pytest.mark.parametrize(
    ("role", "action", "step"),
    [
        ("sales-train", "sagemaker:CreateProcessingJob", "Prepare"),
        ("sales-train", "iam:PassRole", "Prepare"),
        ("sales-train-job", "s3:GetObjectVersion", "Prepare"),
        ("sales-train-job", "s3:PutObject", "Prepare"),
    ],
)
def test_training_without_permission_fails_with_access_denied(live, role, action, step):
    with without_action(live, role, action) as principal:
        finished = live.retrain(f"without {action}")
    assert finished.status == "Failed"
    assert f"Step {step} failed" in finished.reason
    assert principal in finished.reason
    assert f"is not authorized to perform: {action} on resource: " in finished.reason


def test_monitor_without_put_metric_data_fails(live):
    before = live.newest_execution(live.names.monitor_pipeline)
    with without_action(live, "sales-monitor-job", "cloudwatch:PutMetricData"):
        live.run_schedule("monitor")
        finished = live.wait_for_next_execution(live.names.monitor_pipeline, before)
    assert finished.status == "Failed"
    assert "not authorized to perform: cloudwatch:PutMetricData on resource: *" in finished.reason


def test_schedule_without_send_message_is_denied(live):
    with without_action(live, "scheduler", "sqs:SendMessage"):
        error = live.control_error("tick", schedule=live.names.schedule("retrain"))
    assert "not authorized to perform: sqs:SendMessage on resource: " in error


def test_update_without_access_to_artifact_keeps_endpoint_in_service(live):
    sagemaker, endpoint = live.client("sagemaker"), live.names.endpoint
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    with without_action(live, "sales-endpoint", "s3:GetObject"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        wait_for("the end of the update", lambda: live.endpoint_status() == "InService" or None, 120)
        assert "403" in sagemaker.describe_endpoint(EndpointName=endpoint)["FailureReason"]


def test_retrain_without_start_permission_moves_message_to_dead_letters(live):
    before = live.newest_execution(live.names.training_pipeline)
    with without_action(live, "retrain", "sagemaker:StartPipelineExecution"):
        send_manual_trigger(live.session, "retrain", live.model, "without the permission")
        live.receive_message(live.session.names.dead_letter_queue("retrain"))
    assert live.newest_execution(live.names.training_pipeline) == before
    assert "not authorized to perform: sagemaker:StartPipelineExecution on resource: " in live.retrain_log()


def test_authorization_report_counts_calls_by_role(live):
    report = live.local.authorization.report()
    job = live.session.names.iam_arn(f"role/{live.names.role('train-job')}")
    assert report["calls_by_principal"][job] > 10
    assert report["calls"] == sum(report["calls_by_principal"].values()) <= report["permissions_checked"]
