"""Failed stack changes are rolled back, with the failed resource and the reason in the stack's events."""

import json

import pytest


@pytest.fixture
def change(client):
    """Creates and executes a change set; returns the stack's status and the failed resources' reasons."""
    cloudformation = client("cloudformation")

    def changed(stack: str, kind: str, **resources: dict) -> tuple[str, list[str]]:
        body = json.dumps({"Resources": resources})
        made = cloudformation.create_change_set(
            StackName=stack, ChangeSetName="change", ChangeSetType=kind, TemplateBody=body
        )
        cloudformation.execute_change_set(ChangeSetName=made["Id"])
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
        return status, [f"{e['LogicalResourceId']} {e['ResourceStatus']}: {e['ResourceStatusReason']}" for e in failed]

    return changed


def parameter(name: str, value: str, **more: str) -> dict:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}, **more}


def group(name: str) -> dict:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}


@pytest.fixture
def values(client):
    """The existing parameters."""

    def found() -> dict[str, str]:
        return {each["Name"]: each["Value"] for each in client("ssm").get_parameters_by_path(Path="/t")["Parameters"]}

    yield found
    for name in found():
        client("ssm").delete_parameter(Name=name)


def test_existing_resource_rolls_back_stack_creation(client, change, values):
    client("logs").create_log_group(logGroupName="by-hand")
    status, failed = change("new", "CREATE", First=parameter("/t/first", "1"), Group=group("by-hand"))
    assert status == "ROLLBACK_COMPLETE"
    reason = 'Resource handler returned message: "The specified log group already exists"'
    assert failed == [f"Group CREATE_FAILED: {reason}"]
    assert values() == {}
    with pytest.raises(client("cloudformation").exceptions.ClientError, match="ROLLBACK_COMPLETE state and can not be"):
        change("new", "UPDATE", First=parameter("/t/first", "1"))
    assert client("logs").describe_log_groups(logGroupNamePrefix="by-hand")["logGroups"]


def test_failed_update_restores_stack_and_can_be_repeated(client, change, values):
    client("logs").create_log_group(logGroupName="taken")
    before = {"Kept": parameter("/t/kept", "old"), "Gone": parameter("/t/gone", "1")}
    after = {"Kept": parameter("/t/kept", "new"), "Added": parameter("/t/added", "1"), "Group": group("taken")}
    assert change("old", "CREATE", **before) == ("CREATE_COMPLETE", [])
    status, failed = change("old", "UPDATE", **after)
    assert (status, len(failed)) == ("UPDATE_ROLLBACK_COMPLETE", 1)
    assert values() == {"/t/kept": "old", "/t/gone": "1"}
    assert set(client("cloudformation").get_template(StackName="old")["TemplateBody"]["Resources"]) == set(before)
    client("logs").delete_log_group(logGroupName="taken")
    assert change("old", "UPDATE", **after)[0] == "UPDATE_COMPLETE"
    assert values() == {"/t/kept": "new", "/t/added": "1"}


def test_retained_resource_stays_after_removal_from_template(change, values):
    both = {"One": parameter("/t/one", "1"), "Two": parameter("/t/two", "2", DeletionPolicy="Retain")}
    change("retaining", "CREATE", **both)
    change("retaining", "UPDATE", One=both["One"])
    assert values() == {"/t/one": "1", "/t/two": "2"}
