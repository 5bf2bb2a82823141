"""Pipelines created through boto3 and executed: builds, approvals, functions, rollbacks, superseded executions."""

import json

import pytest

from local_aws.server import LocalAws

from .world import ACCOUNT, APPROVE, CONNECTION, POLICY, REGION, World, action, build, invoke


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with LocalAws(folder / "aws") as local:
        (folder / "aws").mkdir(exist_ok=True)
        made = World(local, folder / "clone")
        made.push(file="first")
        yield made


def test_new_pipeline_builds_pushed_commit(world):
    commit = world.push(file="content")
    project = world.project("cat file", "test $(cat file) = content")
    name = world.create({"name": "Build", "actions": [build(project, output="Built")]})
    execution = world.ended(name)
    assert (execution["status"], execution["trigger"]["triggerType"]) == ("Succeeded", "CreatePipeline")
    assert execution["sourceRevisions"][0]["revisionId"] == commit
    (identifier,) = world.client("codebuild").list_builds_for_project(projectName=project)["ids"]
    (record,) = world.client("codebuild").batch_get_builds(ids=[identifier])["builds"]
    assert record["buildStatus"] == "SUCCEEDED"


def test_failed_build_names_command(world):
    name = world.create({"name": "Build", "actions": [build(world.project("false"))]})
    execution = world.ended(name)
    assert execution["status"] == "Failed"
    details = world.actions(name, execution["pipelineExecutionId"])["Build"]["output"]["executionResult"][
        "errorDetails"
    ]
    assert details["code"] == "JobFailed"
    assert "Error while executing command: false. Reason: exit status 1" in details["message"]


def test_connection_requires_permission_of_its_service_prefix(world):
    old = CONNECTION.replace("codeconnections", "codestar-connections")
    name = world.create(APPROVE, connection=old)
    execution = world.ended(name)
    result = world.actions(name, execution["pipelineExecutionId"])["Source"]["output"]["executionResult"]
    assert result["errorDetails"]["code"] == "PermissionError"
    assert (
        f"Unable to use Connection: {old}. The provided role does not have sufficient permissions."
        in (result["errorDetails"]["message"])
    )


def test_function_with_continuation_token_is_invoked_again(world):
    second = action("Approve", "Approval", "Manual", {"CustomData": "#{first.word}"})
    name = world.create(
        {"name": "Work", "actions": [invoke("world", namespace="first")]}, {"name": "Gate", "actions": [second]}
    )
    world.decide(name, "Gate", "Approved")
    execution = world.ended(name)
    assert execution["status"] == "Succeeded"
    approve = world.actions(name, execution["pipelineExecutionId"])["Approve"]
    assert approve["input"]["resolvedConfiguration"]["CustomData"] == "hello world"
    assert approve["updatedBy"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")


def test_function_failure_message_is_action_error(world):
    name = world.create({"name": "Work", "actions": [invoke("fail")]})
    execution = world.ended(name)
    assert execution["status"] == "Failed"
    assert execution["statusSummary"] == "Work: Invoke: model churn: too bad"


def test_rejected_approval_is_final(world):
    name = world.create(APPROVE, {"name": "After", "actions": [invoke("world")]})
    token = world.token(name, "Gate")
    world.decide(name, "Gate", "Rejected")
    execution = world.ended(name)
    assert execution["status"] == "Failed"
    assert "Invoke" not in world.actions(name, execution["pipelineExecutionId"])
    errors = world.pipeline.exceptions
    with pytest.raises(errors.ApprovalAlreadyCompletedException):
        world.pipeline.put_approval_result(
            pipelineName=name,
            stageName="Gate",
            actionName="Approve",
            token=token,
            result={"status": "Approved", "summary": "too late"},
        )


def test_failed_stage_rolls_back_to_last_success(world):
    world.push(file="good")
    project = world.project("test $(cat file) = good")
    stage = {"name": "Build", "actions": [build(project)], "onFailure": {"result": "ROLLBACK"}}
    name = world.create(stage)
    good = world.ended(name)["pipelineExecutionId"]
    world.push(file="bad")
    executions = world.wait(lambda: (found := world.executions(name)) and len(found) >= 3 and found)
    world.ended(name)
    rollback, failed, _ = world.executions(name)[:3]
    assert failed["status"] == "Failed"
    assert rollback["executionType"] == "ROLLBACK"
    assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert rollback["status"] == "Succeeded", executions
    assert "Source" not in world.actions(name, rollback["pipelineExecutionId"])


def test_role_without_trust_is_not_assumed(world):
    """The action's own, the pipeline's and a build's: each by its trust policy alone."""

    def role(name: str, principal: dict) -> str:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = world.client("iam")
        iam.put_role_policy(
            RoleName=iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["RoleName"],
            PolicyName="Work",
            PolicyDocument=json.dumps(POLICY),
        )
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def why(*stages, **more) -> str:
        execution = world.ended(world.create(*stages, **more))
        return execution.get("statusSummary") or execution["status"]

    def acts_as(arn: str) -> str:
        return why({"name": "Work", "actions": [invoke("world", roleArn=arn)]})

    stranger = role("strangers", {"Service": "ec2.amazonaws.com"})
    refused = f"CodePipeline is not authorized to perform AssumeRole on role {stranger} (User: "
    assert acts_as(role("trusting", {"AWS": world.role})) == "Succeeded"
    assert acts_as(stranger).startswith(f"Work: Invoke: {refused}arn:aws:sts::{ACCOUNT}:assumed-role/work/")
    # It leaves it to the account's policies, and the pipeline's role has none for it.
    assert "no identity-based policy allows" in acts_as(role("left-to-policies", {"AWS": ACCOUNT}))
    assert why(APPROVE, roleArn=stranger).startswith(f"Source: Source: {refused}codepipeline.amazonaws.com")
    project = world.project("true")
    world.client("codebuild").update_project(name=project, serviceRole=stranger)
    assert "codebuild.amazonaws.com is not authorized to perform: sts:AssumeRole" in why(
        {"name": "Build", "actions": [build(project)]}
    )


def test_newer_execution_supersedes_waiting_execution(world):
    project = world.project("true")
    name = world.create(APPROVE, {"name": "Build", "actions": [build(project)]}, executionMode="SUPERSEDED")
    world.token(name, "Gate")
    second = world.pipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]
    world.wait(lambda: "Source" in world.actions(name, second))
    world.pipeline.start_pipeline_execution(name=name)
    assert world.ended(name, second)["status"] == "Superseded"


def test_pipeline_update_cancels_running_executions(world):
    name = world.create(APPROVE)
    world.token(name, "Gate")
    declared = world.pipeline.get_pipeline(name=name)["pipeline"]
    declared.pop("version")
    updated = world.pipeline.update_pipeline(pipeline=declared)["pipeline"]
    assert updated["version"] == 2
    assert world.ended(name)["status"] == "Cancelled"


def test_pipeline_is_read_in_version_of_its_execution(world):
    name = world.create(APPROVE)
    declared = world.pipeline.get_pipeline(name=name)["pipeline"]
    declared["stages"][1]["name"] = "Renamed"
    world.pipeline.update_pipeline(pipeline=declared)
    execution = world.ended(name)["pipelineExecutionId"]
    ran = world.pipeline.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)["pipelineExecution"]
    first = world.pipeline.get_pipeline(name=name, version=ran["pipelineVersion"])["pipeline"]
    assert (first["version"], first["stages"][1]["name"]) == (1, "Gate")
    with pytest.raises(world.pipeline.exceptions.PipelineVersionNotFoundException):
        world.pipeline.get_pipeline(name=name, version=3)


def test_missing_branch_fails_source_action(world):
    name = world.create({"name": "Build", "actions": [build(world.project("true"))]})
    world.ended(name)
    declared = world.pipeline.get_pipeline(name=name)["pipeline"]
    declared["stages"][0]["actions"][0]["configuration"]["BranchName"] = "nowhere"
    world.pipeline.update_pipeline(pipeline=declared)
    started = world.pipeline.start_pipeline_execution(name=name)["pipelineExecutionId"]
    assert "No branch [nowhere] found" in world.ended(name, started)["statusSummary"]


def test_unsupported_actions_are_refused_by_name(world):
    unknown = action("Deploy", "Deploy", "ElasticBeanstalk", {})
    with pytest.raises(world.pipeline.exceptions.ClientError, match="does not support Deploy/ElasticBeanstalk"):
        world.create({"name": "Deploy", "actions": [unknown]})


def test_failed_action_event_has_error_details(world):
    sqs, events = world.client("sqs"), world.client("events")
    url = sqs.create_queue(QueueName="failures")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:failures"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [allowed | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    pattern = {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"state": ["FAILED"], "action": ["Invoke"]},
    }
    events.put_rule(Name="failed", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="failed", Targets=[{"Id": "queue", "Arn": arn}])
    name = world.create({"name": "Work", "actions": [invoke("fail")]})
    execution = world.ended(name)["pipelineExecutionId"]
    (message,) = world.wait(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    detail = json.loads(message["Body"])["detail"]
    assert (detail["pipeline"], detail["stage"], detail["execution-id"]) == (name, "Work", execution)
    assert detail["execution-result"]["external-execution-summary"] == "model churn: too bad"
