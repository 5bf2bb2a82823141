"""Contracts of the queues, written a second time as predicates, and generated messages that may or may not follow them."""

import re

from hypothesis import strategies as st

from .cloud import ACCOUNT, event

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def text(value, most, pattern=None):
    return isinstance(value, str) and 1 <= len(value) <= most and (pattern is None or re.fullmatch(pattern, value))


def at(content, *path):
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def is_aws_event(content, source, kind, identifier):
    return (
        text(at(content, "id"), 128, identifier)
        and at(content, "source") == source
        and at(content, "detail-type") == kind
        and at(content, "account") == ACCOUNT
    )


def valid_for_retrain(content):
    """Whether the message follows the retrain queue's contract and concerns the only model."""
    if isinstance(content, dict) and set(content) == {"model", "trigger", "reason", "id"}:
        known = content["model"] == "churn" and content["trigger"] in ("schedule", "manual", "code")
        return known and text(content["reason"], 1024) and text(content["id"], 128)
    return (
        is_aws_event(content, "aws.cloudwatch", "CloudWatch Alarm State Change", None)
        and at(content, "detail", "alarmName") == "acme-prod-churn-drift"
        and at(content, "detail", "state", "value") == "ALARM"
        and text(at(content, "detail", "state", "reason"), 10**6)
    )


def valid_end_of_training(content):
    """Whether the message is SageMaker's event about the end of the only model's training."""
    return (
        at(content, "source") == "aws.sagemaker"
        and at(content, "detail-type") == "SageMaker Model Building Pipeline Execution Status Change"
        and at(content, "account") == ACCOUNT
        and at(content, "detail", "pipelineExecutionArn")
        == f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/acme-prod-churn-train/execution/abcdefghijkl"
        and at(content, "detail", "currentPipelineExecutionStatus") in ("Executing", "Succeeded", "Failed", "Stopped")
    )


def valid_for_deploy(content):
    """Whether the message follows the deploy queue's contract and concerns the only model."""
    return is_deploy_message(content) == "churn"


def dropped_by_deploy(content):
    """Whether it is an event of the endpoint of a model that there is no more."""
    return at(content, "detail-type") == "SageMaker Endpoint State Change" and is_deploy_message(content) not in (
        None,
        "churn",
    )


def is_deploy_message(content):
    """The model of a message that follows the deploy queue's contract."""
    identifier = r"[!-~]+"
    if isinstance(content, dict) and set(content) == {"model", "trigger", "reason", "id"}:
        model, reason = content["model"], content["reason"]
        known = text(model, 24, NAME) and content["trigger"] == "manual" and text(content["id"], 128, identifier)
        return model if known and isinstance(reason, str) and len(reason) <= 1024 else None
    if is_aws_event(content, "aws.sagemaker", "SageMaker Model Package State Change", identifier):
        group, arn = at(content, "detail", "ModelPackageGroupName"), at(content, "detail", "ModelPackageArn")
        of_group = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/{group}/2"
        statuses = ("Approved", "Rejected", "PendingManualApproval")
        fits = at(content, "detail", "ModelApprovalStatus") in statuses and arn in (None, of_group)
        return model_of(group) if fits else None
    if is_aws_event(content, "aws.ssm", "Parameter Store Change", identifier):
        name, operation = at(content, "detail", "name"), at(content, "detail", "operation")
        model = name.removeprefix("/acme/prod/models/") if text(name, 2048) else None
        fits = operation in ("Create", "Update") and model != name
        return model if fits and text(model, 24, NAME) else None
    if not is_aws_event(content, "aws.sagemaker", "SageMaker Endpoint State Change", identifier):
        return None
    configuration = at(content, "detail", "EndpointConfigName")
    status = at(content, "detail", "EndpointStatus")
    fits = configuration is None or (isinstance(configuration, str) and len(configuration) <= 63)
    fits = fits and isinstance(at(content, "detail", "Tags"), dict | None)
    return model_of(at(content, "detail", "EndpointName")) if fits and status in ENDPOINT_STATUSES else None


def model_of(name):
    """The model of a name of this environment."""
    model = name.removeprefix("acme-prod-") if text(name, 63) else None
    return model if model != name and text(model, 24, NAME) else None


ENDPOINT_STATUSES = ("IN_SERVICE", "FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED", "DELETING", "DELETED")


# What UTF-8 can encode, as the default, which hypothesis computes from the codec: for seconds, in a fresh clone.
CHARACTERS = st.characters(exclude_categories=["Cs"])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS, max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=12), inner, max_size=3),
    max_leaves=8,
)
SIMILAR_VALUES = st.sampled_from(
    [
        "acme-dev-churn", "acme-prod-", "acme-prod-churn-drift", "acme-prod-churn-dev-drift", "other-acme-prod-churn-drift",
        "acme-prod-Churn-drift", "acme-prod-churn\n", "acme-prod-../../x-drift", "acme-prod--drift",
        "acme-prod-churn-endpoint-errors",
        "acme-prod-" + "x" * 30, "churn", "churn\n", "CHURN", "churn/../loan", "nobody", "drift", "code", "999999999999",
        ACCOUNT, f"{ACCOUNT} ", "aws.cloudwatch", "aws.sagemaker", "aws.ssm", "com.acme", "Rejected", "OK", "Approved",
        "UPDATING", "", "DELETING", "Delete", "/acme/prod/models/", "/acme/prod/models/nobody", "/acme/dev/models/churn",
        "acme-prod-nobody",
    ]
)  # fmt: skip
# A strategy that is made in each draw is validated in each draw, which takes longer than the tested function.
REPLACEMENTS = SIMILAR_VALUES | ANYTHING


def paths(content, path=()):
    """The path of every value in a JSON document."""
    yield path
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


@st.composite
def mutated(draw, names):
    """A real event with one to three of its values removed or replaced."""
    content = event(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(1, 3))):
        places = [path for path in paths(content) if path]
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        parent = content
        for key in way:
            parent = parent[key]
        if draw(st.booleans()):
            parent[last] = draw(REPLACEMENTS)
        else:
            del parent[last]
    return content
