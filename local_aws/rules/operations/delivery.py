"""CodePipeline, CodeBuild and CloudFormation."""

from typing import Any

from ..checks import absent, first, none_of, not_matching, together
from ..rule import Check, Entry, NotEnforced, Request, Values, table

JOB = "CodePipeline API reference: PutJobSuccessResult"
APPROVAL = "CodePipeline API reference: PutApprovalResult"
pipeline = table("codepipeline", "ValidationException", JOB)
build = table("codebuild", "ResourceNotFoundException", "CodeBuild API reference: StartBuild")
stack = table("cloudformation", "ValidationError", "CloudFormation API reference: CreateChangeSet")

RUNNING, DONE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
GIVEN = {
    "codepipeline/p": {"Executions": ["e"], "Versions": [1, 2]},
    f"codepipeline-job/{RUNNING}": {"Status": "InProgress"},
    f"codepipeline-job/{DONE}": {"Status": "Succeeded"},
    "approval/p/Prod/Approve": {"Token": RUNNING},
    "approval/p/Test/Approve": {"Token": None},
    "project/b": {},
}
TEMPLATE = "{}"


def approve(stage: str = "Prod", token: str = RUNNING) -> dict[str, Any]:
    """Parameters of PutApprovalResult."""
    result = {"summary": "good", "status": "Approved"}
    return {"pipelineName": "p", "stageName": stage, "actionName": "Approve", "token": token, "result": result}


def _approval(test: Any) -> Check:
    """The action that waits for approval is wrong: `test` of its record. Values: actionName."""

    def check(request: Request) -> Values | None:
        params = request.params
        name = f"{params['pipelineName']}/{params['stageName']}/{params['actionName']}"
        return params if test(request.find("approval", name), params) else None

    return check


def _job_status(request: Request) -> Values | None:
    status = (request.find("codepipeline-job", request.params["jobId"]) or {}).get("Status", "InProgress")
    return {"status": status} if status != "InProgress" else None


def _execution(request: Request) -> Values | None:
    named = request.params.get("pipelineExecutionId")
    pipeline_ = request.find("codepipeline", request.params["pipelineName"]) or {}
    return request.params if named and named not in pipeline_.get("Executions", ()) else None


def _filtered_execution(request: Request) -> Values | None:
    named = first(request.params, "filter.pipelineExecutionId")
    pipeline_ = request.find("codepipeline", request.params["pipelineName"]) or {}
    return {"value": named} if named and named not in pipeline_.get("Executions", ()) else None


def _version(request: Request) -> Values | None:
    named = request.params.get("version")
    pipeline_ = request.find("codepipeline", request.params["name"]) or {}
    return request.params if named and named not in pipeline_.get("Versions", ()) else None


def change_set(**more: Any) -> dict[str, Any]:
    """Parameters of CreateChangeSet."""
    return {"StackName": "s", "ChangeSetName": "c", "TemplateBody": TEMPLATE, **more}


PIPELINES: tuple[Entry, ...] = (
    pipeline(
        "GetPipelineState GetPipelineExecution ListPipelineExecutions ListActionExecutions StopPipelineExecution "
        "PutApprovalResult",
        "The pipeline exists.",
        "Account '{account}' does not have a pipeline with name '{value}'",
        lambda request: absent("codepipeline", "name")(request) or absent("codepipeline", "pipelineName")(request),
        {"name": "p"},
        {"name": "missing"},
        code="PipelineNotFoundException",
        source="CodePipeline API reference: GetPipelineState",
        given=GIVEN,
    ),
    pipeline(
        "StartPipelineExecution",
        "The pipeline that is started exists.",
        "Account '{account}' does not have a pipeline with name '{value}'",
        absent("codepipeline", "name"),
        {"name": "p"},
        {"name": "missing"},
        code="PipelineNotFoundException",
        source="CodePipeline API reference: StartPipelineExecution",
        given=GIVEN,
    ),
    pipeline(
        "GetPipeline",
        "The pipeline that is read exists.",
        "Account '{account}' does not have a pipeline with name '{value}'",
        absent("codepipeline", "name"),
        {"name": "p"},
        {"name": "missing"},
        code="PipelineNotFoundException",
        source="CodePipeline API reference: GetPipeline",
        given=GIVEN,
    ),
    pipeline(
        "GetPipeline",
        "The version of the pipeline exists.",
        "There is no version {version} of the pipeline {name}",
        _version,
        {"name": "p", "version": 2},
        {"name": "p", "version": 3},
        code="PipelineVersionNotFoundException",
        source="CodePipeline API reference: GetPipeline",
        given=GIVEN,
        inferred=True,
    ),
    pipeline(
        "GetPipelineExecution StopPipelineExecution",
        "The execution exists.",
        "There is no execution {pipelineExecutionId} of {pipelineName}",
        _execution,
        {"pipelineName": "p", "pipelineExecutionId": "e"},
        {"pipelineName": "p", "pipelineExecutionId": DONE},
        code="PipelineExecutionNotFoundException",
        source="CodePipeline API reference: GetPipelineExecution",
        given=GIVEN,
        inferred=True,
    ),
    pipeline(
        "ListActionExecutions",
        "The execution that a list is filtered by exists.",
        "There is no execution {value} of the pipeline",
        _filtered_execution,
        {"pipelineName": "p", "filter": {"pipelineExecutionId": "e"}},
        {"pipelineName": "p", "filter": {"pipelineExecutionId": DONE}},
        code="PipelineExecutionNotFoundException",
        source="CodePipeline API reference: ListActionExecutions",
        given=GIVEN,
        inferred=True,
    ),
    pipeline(
        "PutJobSuccessResult PutJobFailureResult",
        "The job exists.",
        "Job {value} does not exist",
        absent("codepipeline-job", "jobId"),
        {"jobId": RUNNING},
        {"jobId": RUNNING.replace("1", "3")},
        code="JobNotFoundException",
        given=GIVEN,
        inferred=True,
    ),
    pipeline(
        "PutJobSuccessResult PutJobFailureResult",
        "A job gets one result.",
        "Job cannot be updated because it's in state {status}",
        _job_status,
        {"jobId": RUNNING},
        {"jobId": DONE},
        code="InvalidJobStateException",
        given=GIVEN,
        inferred=True,
    ),
    pipeline(
        "PutApprovalResult",
        "The action that is approved has been reached.",
        "There is no action {actionName} to approve",
        _approval(lambda waiting, params: waiting is None),
        approve(),
        approve("Missing"),
        code="ActionNotFoundException",
        source=APPROVAL,
        given=GIVEN,
        inferred=True,
    ),
    pipeline(
        "PutApprovalResult",
        "An approval is given once.",
        "The approval action has already been approved or rejected.",
        _approval(lambda waiting, params: waiting["Token"] is None),
        approve(),
        approve("Test"),
        code="ApprovalAlreadyCompletedException",
        source=APPROVAL,
        given=GIVEN,
    ),
    pipeline(
        "PutApprovalResult",
        "The token is that of the action that waits.",
        "The approval token is not valid",
        _approval(lambda waiting, params: waiting["Token"] != params["token"]),
        approve(),
        approve(token=DONE),
        code="InvalidApprovalTokenException",
        source=APPROVAL,
        given=GIVEN,
        inferred=True,
    ),
    NotEnforced(
        "codepipeline",
        "StartPipelineExecution",
        "Variables of an execution are declared in the pipeline.",
        "CodePipeline API reference: StartPipelineExecution",
        "The embedded AWS refuses pipelines with variables by name.",
    ),
)

BUILDS: tuple[Entry, ...] = (
    build(
        "StartBuild UpdateProject DeleteProject",
        "The project exists.",
        "Project cannot be found: arn:aws:codebuild:{region}:{account}:project/{value}",
        lambda request: absent("project", "projectName")(request) or absent("project", "name")(request),
        {"projectName": "b"},
        {"projectName": "missing"},
        given=GIVEN,
    ),
)

STACKS: tuple[Entry, ...] = (
    stack(
        "CreateStack",
        "A stack's name begins with a letter and has up to 128 letters, digits and hyphens.",
        "1 validation error detected: Value '{value}' at 'stackName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*",
        not_matching(r"[a-zA-Z][-a-zA-Z0-9]{0,127}|arn:[-a-zA-Z0-9:/._+]*", "StackName"),
        {"StackName": "s", "TemplateBody": TEMPLATE},
        {"StackName": "under_score", "TemplateBody": TEMPLATE},
        source="CloudFormation API reference: CreateStack",
    ),
    stack(
        "CreateChangeSet CreateStack",
        "A template in the request has up to 51,200 bytes.",
        "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less "
        "than or equal to 51200",
        # CodePipeline passes the file of an artifact on, which may be larger.
        lambda request: not request.service and len(request.params.get("TemplateBody") or "") > 51200,
        change_set(),
        change_set(TemplateBody=" " * 51201),
    ),
    stack(
        "CreateChangeSet CreateStack",
        "A template is given in the request or by its URL, not by both.",
        "Only one of Template URL or Template Body may be specified.",
        together("TemplateBody", "TemplateURL"),
        change_set(),
        change_set(TemplateURL="https://b.s3.amazonaws.com/t"),
        inferred=True,
    ),
    stack(
        "CreateChangeSet CreateStack",
        "A stack has a template.",
        "Either Template URL or Template Body must be specified.",
        lambda request: (
            not request.params.get("UsePreviousTemplate") and none_of("TemplateBody", "TemplateURL")(request)
        ),
        change_set(),
        {"StackName": "s", "ChangeSetName": "c"},
    ),
    NotEnforced(
        "cloudformation",
        "ExecuteChangeSet",
        "A change set is executed once, while its status is CREATE_COMPLETE.",
        "CloudFormation API reference: ExecuteChangeSet",
        "Moto forgets a change set when it is executed.",
    ),
)
ENTRIES: tuple[Entry, ...] = (*PIPELINES, *BUILDS, *STACKS)
