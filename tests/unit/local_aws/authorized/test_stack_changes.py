"""Stacks are created, updated, replaced in part and deleted as CloudFormation does, and refused in its words."""

import json

import pytest


class Stack:
    """A stack that is created and updated directly."""

    def __init__(self, cloudformation, name):
        self.cloudformation, self.name, self.arn = cloudformation, name, None

    def put(self, resources, outputs=None, **more):
        body = json.dumps({"Resources": resources, "Outputs": outputs or {}})
        call = self.cloudformation.update_stack if self.arn else self.cloudformation.create_stack
        self.arn = call(StackName=self.name, TemplateBody=body, **more)["StackId"]
        return self.status

    def delete(self, **more):
        self.cloudformation.delete_stack(StackName=self.arn, **more)
        return self.status

    @property
    def status(self):
        return self.cloudformation.describe_stacks(StackName=self.arn)["Stacks"][0]["StackStatus"]

    @property
    def events(self):
        return self.cloudformation.describe_stack_events(StackName=self.arn)["StackEvents"]

    @property
    def reasons(self):
        """The reasons of failures, the newest first."""
        found = [event.get("ResourceStatusReason") for event in self.events]
        return [reason for reason in found if reason and reason != "User Initiated"]

    def refused(self, resources, outputs=None):
        """The reason why an update was rolled back."""
        assert self.put(resources, outputs) == "UPDATE_ROLLBACK_COMPLETE"
        (started,) = [n for n, event in enumerate(self.events) if event["ResourceStatus"].endswith("BACK_IN_PROGRESS")][
            :1
        ]
        return self.events[started]["ResourceStatusReason"], [
            event.get("ResourceStatusReason") for event in self.events
        ]


@pytest.fixture
def stack(client):
    made = []

    def create(name):
        made.append(Stack(client("cloudformation"), name))
        return made[-1]

    yield create
    for each in reversed(made):
        if each.arn and each.status != "DELETE_COMPLETE":
            each.delete()


def parameter(value, name=None, **more):
    named = {"Name": name} if name else {}
    return {"Type": "AWS::SSM::Parameter", "Properties": {**named, "Type": "String", "Value": value}, **more}


def bucket(name, **more):
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}, **more}


def group(description, name="versions"):
    properties = {"ModelPackageGroupName": name, "ModelPackageGroupDescription": description}
    return {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties}


def queue(name):
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}


def test_custom_named_resource_is_not_replaced(stack):
    versions = stack("versions")
    assert versions.put({"Group": group("one")}) == "CREATE_COMPLETE"
    reason, all_reasons = versions.refused({"Group": group("two")})
    assert reason == "The following resource(s) failed to update: [Group]."
    assert (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename versions and update "
        "the stack again." in all_reasons
    )


def test_renamed_resource_is_replaced_after_those_that_refer_to_it(stack, client):
    renamed = stack("renamed")
    refers = {"Ref": "Group"}
    renamed.put({"Note": parameter(refers, "/t/note"), "Group": group("one", "first")})
    before = client("ssm").get_parameter(Name="/t/note")["Parameter"]["Value"]
    assert renamed.put({"Note": parameter(refers, "/t/note"), "Group": group("two", "second")}) == "UPDATE_COMPLETE"
    after = client("ssm").get_parameter(Name="/t/note")["Parameter"]["Value"]
    assert (before.rsplit("/", 1)[1], after.rsplit("/", 1)[1]) == ("first", "second")
    events = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(renamed.events)]
    assert events[-4:] == [
        ("Note", "UPDATE_COMPLETE"),
        ("renamed", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Group", "DELETE_COMPLETE"),
        ("renamed", "UPDATE_COMPLETE"),
    ]


def test_failed_update_keeps_replaced_resource(stack, client):
    kept = stack("kept")
    kept.put({"Group": group("one", "stays")})
    assert (
        kept.put({"Group": group("two", "other"), "Bad": parameter("", "aws-is-reserved")})
        == "UPDATE_ROLLBACK_COMPLETE"
    )
    names = [
        g["ModelPackageGroupName"]
        for g in client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]
    assert names == ["stays"]


def test_changed_type_is_refused(stack):
    changed = stack("changed")
    changed.put({"Thing": parameter("1")})
    _, reasons = changed.refused({"Thing": queue("a-queue")})
    assert any(str(reason).startswith("Update of resource type is not permitted.") for reason in reasons)


@pytest.mark.parametrize(
    ("policy", "again"), [("Retain", "ROLLBACK_COMPLETE"), ("RetainExceptOnCreate", "CREATE_COMPLETE")]
)
def test_failed_creation_can_be_repeated_unless_retained(stack, client, policy, again):
    name = f"data-{policy.lower()}"
    first = stack("first-try")
    data = {"Data": bucket(name, DeletionPolicy=policy)}
    assert first.put(data | {"Versions": group("x" * 2000), "Z": parameter("1")}) == "ROLLBACK_COMPLETE"
    first.delete()
    second = stack("second-try")
    assert second.put(data) == again
    if again != "CREATE_COMPLETE":
        assert f"'AWS::S3::Bucket' with identifier '{name}' already exists." in " ".join(second.reasons)
    assert client("s3").head_bucket(Bucket=name)
    second.delete()
    client("s3").delete_bucket(Bucket=name)


def test_bucket_has_tags_of_its_stack_also_after_update(stack, client):
    tagged = stack("tagged")
    for value in ("1", "2"):
        resource = bucket("tagged-bucket")
        resource["Properties"]["Tags"] = [{"Key": "own", "Value": value}]
        tagged.put({"Data": resource})
        found = client("s3").get_bucket_tagging(Bucket="tagged-bucket")["TagSet"]
        assert {each["Key"].removeprefix("aws:cloudformation:"): each["Value"] for each in found} == {
            "own": value,
            "stack-id": tagged.arn,
            "stack-name": "tagged",
            "logical-id": "Data",
        }


def test_name_in_another_stack_is_refused(stack):
    owner, other = stack("owner"), stack("other")
    owner.put({"Queue": queue("taken")})
    assert other.put({"Queue": queue("taken")}) == "ROLLBACK_COMPLETE"
    assert f"taken already exists in stack {owner.arn}" in other.reasons


def exported(value):
    return {"Out": {"Value": value, "Export": {"Name": "shared"}}}


def test_export_in_use_is_neither_deleted_nor_changed(stack):
    source, user = stack("source"), stack("user")
    resources = {"P": parameter("1", "/t/p"), "Q": parameter("2", "/t/q")}
    source.put(resources, exported({"Ref": "P"}))
    user.put({"R": parameter({"Fn::ImportValue": "shared"}, "/t/r")})
    assert source.refused(resources)[0] == "Delete canceled. Cannot delete export shared as it is in use by user."
    assert (
        source.refused(resources, exported({"Ref": "Q"}))[0] == "Cannot update export shared as it is in use by user."
    )
    before = source.status
    assert source.delete() == before
    assert source.reasons[0] == "Delete canceled. Cannot delete export shared as it is in use by user."
    user.put({"R": parameter("own", "/t/r")})
    assert source.put(resources) == "UPDATE_COMPLETE"


def test_deletion_that_failed_can_be_repeated(stack, client):
    full = stack("full")
    full.put({"Data": bucket("full-of-data"), "Note": parameter({"Ref": "Data"}, "/t/n")})
    client("s3").put_object(Bucket="full-of-data", Key="row", Body=b"1")
    assert full.delete() == "DELETE_FAILED"
    assert "The bucket you tried to delete is not empty" in full.reasons[1]
    assert full.reasons[0] == "The following resource(s) failed to delete: [Data]. "
    left = client("cloudformation").list_stack_resources(StackName=full.arn)["StackResourceSummaries"]
    assert [each["LogicalResourceId"] for each in left] == ["Data"]
    assert full.delete(RetainResources=["Data"]) == "DELETE_COMPLETE"
    assert client("s3").head_bucket(Bucket="full-of-data")
    client("s3").delete_object(Bucket="full-of-data", Key="row")
    client("s3").delete_bucket(Bucket="full-of-data")


def test_resources_are_retained_after_a_failure_only(stack, client):
    whole = stack("whole")
    whole.put({"Note": parameter("1")})
    with pytest.raises(client("cloudformation").exceptions.ClientError, match="DELETE_FAILED state"):
        whole.delete(RetainResources=["Note"])


def test_change_set_tells_modifications_and_replacements(stack, client):
    changing = stack("changing")
    refers = {"Ref": "Group"}
    changing.put(
        {"Group": group("one", "old"), "Note": parameter(refers), "Gone": parameter("1"), "Same": parameter("1")}
    )
    after = {"Group": group("two", "new"), "Note": parameter(refers), "Same": parameter("1"), "More": parameter("1")}
    cloudformation = client("cloudformation")
    made = cloudformation.create_change_set(
        StackName="changing", ChangeSetName="c", ChangeSetType="UPDATE", TemplateBody=json.dumps({"Resources": after})
    )
    answer = cloudformation.describe_change_set(ChangeSetName=made["Id"])["Changes"]
    found = {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in answer}
    assert {name: (each["Action"], each.get("Replacement")) for name, each in found.items()} == {
        "Group": ("Modify", "True"),
        "Note": ("Modify", "False"),
        "More": ("Add", None),
        "Gone": ("Remove", None),
    }
    targets = {each["Target"]["Name"]: each["Target"]["RequiresRecreation"] for each in found["Group"]["Details"]}
    assert targets == {"ModelPackageGroupName": "Always", "ModelPackageGroupDescription": "Always"}
    assert found["Note"]["Details"][0]["CausingEntity"] == "Group"
    assert found["Group"]["PolicyAction"] == "ReplaceAndDelete"


def test_drift_is_detected(stack, client):
    drifting, cloudformation = stack("drifting"), client("cloudformation")
    notes = {name: parameter("1", f"/t/{name.lower()}") for name in ("Kept", "Changed", "Removed")}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "drifting", "DisplayName": "before"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}
    policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}, "Topics": [{"Ref": "Topic"}]}
    made = {
        "Queue": queue("stays-as-it-is"),
        "Topic": topic,
        "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy},
    }
    drifting.put(notes | made)
    (arn,) = [
        each["TopicArn"] for each in client("sns").list_topics()["Topics"] if each["TopicArn"].endswith(":drifting")
    ]
    client("sns").set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="after")
    ssm = client("ssm")
    ssm.put_parameter(Name="/t/changed", Value="2", Overwrite=True)
    ssm.delete_parameter(Name="/t/removed")
    detection = cloudformation.detect_stack_drift(StackName="drifting")["StackDriftDetectionId"]
    status = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert (status["DetectionStatus"], status["StackDriftStatus"]) == ("DETECTION_COMPLETE", "DRIFTED")
    assert status["DriftedStackResourceCount"] == 3
    drifts = cloudformation.describe_stack_resource_drifts(StackName="drifting")["StackResourceDrifts"]
    found = {each["LogicalResourceId"]: each for each in drifts}
    assert {name: each["StackResourceDriftStatus"] for name, each in found.items()} == {
        "Kept": "IN_SYNC",
        "Changed": "MODIFIED",
        "Removed": "DELETED",
        "Queue": "IN_SYNC",
        "Topic": "MODIFIED",
    }  # a topic's policy is a type that CloudFormation does not check
    (difference,) = found["Changed"]["PropertyDifferences"]
    assert (difference["PropertyPath"], difference["ExpectedValue"], difference["ActualValue"]) == ("/Value", "1", "2")
    ssm.put_parameter(Name="/t/removed", Value="1", Type="String")
