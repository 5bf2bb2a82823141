"""Stacks whose change failed are preserved, resumed, rolled back, continued or deleted as requests ask for."""

import json

import pytest
from botocore.exceptions import ClientError

from .test_stack_changes import parameter, queue, stack  # noqa: F401

FAILING = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "not a name!"}, "DependsOn": "One"}


def value(client, name):
    try:
        return client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    except client("ssm").exceptions.ParameterNotFound:
        return None


def refusal(call, *arguments, **more):
    with pytest.raises(ClientError) as refused:
        call(*arguments, **more)
    return refused.value.response["Error"]["Message"]


@pytest.fixture
def failed(stack):  # noqa: F811
    """A stack whose creation failed and that kept its first parameter."""
    made = stack("failed")
    assert made.put({"One": parameter("1", "/one"), "Two": FAILING}, DisableRollback=True) == "CREATE_FAILED"
    return made


def test_creation_with_rollback_disabled_keeps_resources(failed, client):
    assert value(client, "/one") == "1"
    assert failed.cloudformation.describe_stacks(StackName=failed.arn)["Stacks"][0]["DisableRollback"] is True
    assert failed.reasons[0] == "The following resource(s) failed to create: [Two]."


def test_failed_stack_is_updated_with_rollback_disabled_only(failed):
    resources = {"One": parameter("2", "/one"), "Two": queue("two")}
    message = refusal(failed.put, resources)
    assert message.startswith("This stack is currently in a non-terminal [CREATE_FAILED] state.")
    assert failed.put(resources, DisableRollback=True) == "UPDATE_COMPLETE"


def test_rollback_of_failed_creation_deletes_resources(failed, client):
    failed.cloudformation.rollback_stack(StackName="failed")
    assert failed.status == "ROLLBACK_COMPLETE"
    assert value(client, "/one") is None


def test_rollback_of_two_failed_updates_restores_stable_state(stack, client):  # noqa: F811
    made = stack("twice")
    made.put({"One": parameter("1", "/one")})
    for number in ("2", "3"):
        resources = {"One": parameter(number, "/one"), f"New{number}": parameter("", f"/new{number}"), "Two": FAILING}
        assert made.put(resources, DisableRollback=True) == "UPDATE_FAILED"
    assert value(client, "/one") == "3"
    made.cloudformation.rollback_stack(StackName="twice")
    assert made.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [value(client, name) for name in ("/one", "/new2", "/new3")] == ["1", None, None]


def test_stable_stack_cannot_be_rolled_back(stack):  # noqa: F811
    made = stack("stable")
    made.put({"One": parameter("1", "/one")})
    assert "is in CREATE_COMPLETE state" in refusal(made.cloudformation.rollback_stack, StackName="stable")


def test_replacement_is_refused_with_rollback_disabled(stack):  # noqa: F811
    made = stack("replaced")
    made.put({"Queue": queue("first")})
    assert made.put({"Queue": queue("second")}, DisableRollback=True) == "UPDATE_FAILED"
    assert any("Replacement type updates not supported on stack with disable-rollback." in why for why in made.reasons)


def test_creation_with_on_failure_do_nothing_cannot_be_updated(stack):  # noqa: F811
    made = stack("nothing")
    assert made.put({"One": parameter("1", "/one"), "Two": FAILING}, OnFailure="DO_NOTHING") == "CREATE_FAILED"
    message = refusal(made.put, {"One": parameter("1", "/one")}, DisableRollback=True)
    assert "because it contains [on-failure: DO_NOTHING]" in message


def test_creation_with_on_failure_delete_deletes_stack(stack, client):  # noqa: F811
    made = stack("deleted")
    assert made.put({"One": parameter("1", "/one"), "Two": FAILING}, OnFailure="DELETE") == "DELETE_COMPLETE"
    assert value(client, "/one") is None


def test_on_failure_and_disable_rollback_exclude_each_other(stack):  # noqa: F811
    message = refusal(stack("both").put, {"One": parameter("1")}, OnFailure="DELETE", DisableRollback=True)
    assert message == "You can specify either OnFailure or DisableRollback, but not both."


@pytest.mark.parametrize(
    ("action", "status"), [("DO_NOTHING", "CREATE_FAILED"), ("ROLLBACK", "ROLLBACK_COMPLETE"), ("DELETE", None)]
)
def test_change_set_says_what_happens_after_failure(client, action, status):
    cloudformation = client("cloudformation")
    body = json.dumps({"Resources": {"One": parameter("1", "/one"), "Two": FAILING}})
    names = {"StackName": f"set-{action.lower().replace('_', '-')}", "ChangeSetName": "set"}
    cloudformation.create_change_set(**names, TemplateBody=body, ChangeSetType="CREATE", OnStackFailure=action)
    message = refusal(cloudformation.execute_change_set, **names, DisableRollback=True)
    assert message == "You can specify either OnStackFailure or DisableRollback, but not both."
    cloudformation.execute_change_set(**names)
    if status is None:
        assert "does not exist" in refusal(cloudformation.describe_stacks, StackName=names["StackName"])
        return
    assert cloudformation.describe_stacks(StackName=names["StackName"])["Stacks"][0]["StackStatus"] == status
    cloudformation.delete_stack(StackName=names["StackName"])


def log_group(days):
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/stuck", "RetentionInDays": days}}


@pytest.fixture
def stuck(stack, client):  # noqa: F811
    """A stack whose rollback failed, because somebody deleted the log group that it has to restore."""
    made = stack("stuck")
    made.put({"One": log_group(7), "Other": parameter("1", "/other")})
    client("logs").delete_log_group(logGroupName="/stuck")
    other = parameter("2", "/other")
    assert made.put({"Other": other, "One": log_group(14) | {"DependsOn": "Other"}}) == "UPDATE_ROLLBACK_FAILED"
    assert made.reasons[0].startswith("The following resource(s) failed to update: [One].")
    return made


def test_rollback_that_failed_is_continued(stuck, client):
    assert "can not be updated" in refusal(stuck.put, {"One": log_group(7)})
    client("logs").create_log_group(logGroupName="/stuck")
    stuck.cloudformation.continue_update_rollback(StackName="stuck")
    assert stuck.status == "UPDATE_ROLLBACK_COMPLETE"
    assert value(client, "/other") == "1"


def test_rollback_is_continued_without_skipped_resource(stuck, client):
    continued = stuck.cloudformation.continue_update_rollback
    assert "[Other] are not in UPDATE_FAILED" in refusal(continued, StackName="stuck", ResourcesToSkip=["Other"])
    continued(StackName="stuck", ResourcesToSkip=["One"])
    assert stuck.status == "UPDATE_ROLLBACK_COMPLETE"
    assert value(client, "/other") == "1"
    client("logs").create_log_group(logGroupName="/stuck")


def test_imports_of_export_are_listed(stack, client):  # noqa: F811
    cloudformation = client("cloudformation")
    exporting, importing = stack("exporting"), stack("importing")
    exporting.put({"One": parameter("1")}, {"Name": {"Value": "n", "Export": {"Name": "exported"}}})
    assert refusal(cloudformation.list_imports, ExportName="exported") == (
        "Export 'exported' is not imported by any stack."
    )
    importing.put({"One": parameter({"Fn::ImportValue": "exported"})})
    assert cloudformation.list_imports(ExportName="exported")["Imports"] == ["importing"]
