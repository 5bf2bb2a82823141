"""Checks of the account itself: bootstrap, trust of the delivery, stacks and names that exist, service-linked roles."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from botocore.exceptions import ClientError

from ..project import EnvironmentSession
from .assembly import Stack
from .findings import Status, error_code
from .needs import Needs

type Found = tuple[Status, str, str]
type Client = Callable[[str], Any]

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
MUST_BE_DELETED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")
MISSING = ("NoSuchEntity", "404", "NoSuchBucket", "NotFoundException", "ResourceNotFoundException", "ResourceNotFound")
MISSING_TEXT = ("does not exist", "Could not find", "NonExistentQueue")


def bootstrap(session: EnvironmentSession, client: Client, stacks: list[Stack]) -> Iterator[Found]:
    """The bootstrap stack exists with each qualifier that the stacks use, in the version that they need."""
    where = f"aws://{session.environment.account}/{session.environment.region}"
    required: dict[str, int] = {}
    for stack in stacks:
        if stack.bootstrap_parameter:
            required[stack.bootstrap_parameter] = max(
                required.get(stack.bootstrap_parameter, 0), stack.bootstrap_version or 0
            )
    for parameter, least in required.items():
        qualifier = parameter.split("/")[2]
        mend = f"cdk bootstrap {where} --profile {session.names.prefix} --qualifier {qualifier}"
        try:
            version = int(client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"])
        except client("ssm").exceptions.ParameterNotFound:
            yield "problem", f"{where} is not bootstrapped: there is no SSM parameter {parameter}", mend
            continue
        if version < least:
            yield (
                "problem",
                f"bootstrap version {version} with the qualifier {qualifier}; the stacks need {least}",
                mend,
            )
        else:
            yield "ok", f"bootstrap version {version} with the qualifier {qualifier}; the stacks need {least}", ""


def delivery_trust(session: EnvironmentSession, client: Client, stacks: list[Stack]) -> Iterator[Found]:
    """The deploy role of the bootstrap stack trusts the tooling account, if the delivery deploys into this environment."""
    factory, environment = session.project.factory, session.environment
    delivery = factory.delivery
    if delivery is None or environment not in factory.delivered or delivery.account == environment.account:
        return
    for role in sorted({stack.deploy_role for stack in stacks if stack.deploy_role}):
        name = role.rsplit("/", 1)[-1]
        try:
            trust = client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        except client("iam").exceptions.NoSuchEntityException:
            trust = {}
        mend = (
            f"cdk bootstrap aws://{environment.account}/{environment.region} --profile {session.names.prefix} "
            f"--trust {delivery.account} --cloudformation-execution-policies {ADMINISTRATOR}"
        )
        if re.search(rf"\b{delivery.account}\b", json.dumps(trust)):
            yield "ok", f"{name} trusts the tooling account {delivery.account}", ""
        else:
            yield (
                "problem",
                f"{name} does not trust the tooling account {delivery.account}: the delivery cannot deploy",
                mend,
            )


def existing_stacks(client: Client, stacks: list[Stack], deployed: dict[str, bool]) -> Iterator[Found]:
    """No stack is in a state that an update cannot leave. Writes into `deployed` which stacks exist."""
    for stack in stacks:
        try:
            (described,) = client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            deployed[stack.name] = False
            continue
        status = described["StackStatus"]
        deployed[stack.name] = True
        if status in MUST_BE_DELETED:
            mend = f"aws cloudformation delete-stack --stack-name {stack.name}"
            yield "problem", f"stack {stack.name} is {status} and cannot be updated", mend
        elif status == "UPDATE_ROLLBACK_FAILED":
            mend = f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
            yield "problem", f"stack {stack.name} is {status}: {described.get('StackStatusReason', '')}", mend
        elif status.endswith("_IN_PROGRESS"):
            yield "warning", f"stack {stack.name} is {status}", "wait for its end"
        else:
            yield "ok", f"stack {stack.name} is {status}", ""
    if not any(deployed.values()):
        yield "ok", f"none of the {len(stacks)} stacks exists yet", ""


def existing_names(client: Client, needs: Needs, deployed: dict[str, bool]) -> Iterator[Found]:
    """No resource of a stack that does not exist yet has its name taken: by a leftover, or by another account's bucket."""
    free = 0
    for stack, resources in needs.named.items():
        if stack not in deployed:
            yield "not checked", f"names of {stack}: it is not known whether the stack exists", ""
            continue
        for kind, name in [] if deployed[stack] else resources:
            taken = _taken(client, kind, name)
            if taken is None:
                free += 1
            elif taken == "elsewhere":
                what = f"bucket {name} belongs to another account, or you may not see it"
                yield "problem", what, "change `name` in factory.yaml"
            else:
                what = f"{kind} {name} exists and its stack {stack} does not: the deployment fails with AlreadyExists"
                yield (
                    "problem",
                    what,
                    f"keep what you need of it, then {PROBES[kind][1].format(name)}; or cdk import {stack}",
                )
    if free:
        yield "ok", f"{free} names of resources are free", ""


def _taken(client: Client, kind: str, name: str) -> Literal["here", "elsewhere"] | None:
    """Where a resource with this name exists; None when it does not."""
    try:
        PROBES[kind][0](client, name)
    except ClientError as error:
        if kind == "AWS::S3::Bucket" and error_code(error) in ("403", "AccessDenied"):
            return "elsewhere"
        if error_code(error) in MISSING or any(text in str(error) for text in MISSING_TEXT):
            return None
        raise
    return "here"


def permissions_boundaries(client: Client, needs: Needs) -> Iterator[Found]:
    """Every permissions boundary exists; roles cannot be created without it."""
    for arn in sorted(needs.boundaries):
        try:
            client("iam").get_policy(PolicyArn=arn)
        except client("iam").exceptions.NoSuchEntityException:
            mend = (
                f"aws iam create-policy --policy-name {arn.rsplit('/', 1)[-1]} --policy-document file://boundary.json"
            )
            yield "problem", f"there is no policy {arn}, the permissions boundary of the roles", mend
        else:
            yield "ok", f"permissions boundary {arn} exists", ""


def service_linked_roles(client: Client, needs: Needs) -> Iterator[Found]:
    """The role with which Application Auto Scaling scales endpoints, if one scales."""
    if not needs.scaling:
        return
    try:
        client("iam").get_role(RoleName=SCALING_ROLE)
    except client("iam").exceptions.NoSuchEntityException:
        yield (
            "warning",
            f"there is no role {SCALING_ROLE}; the first endpoint that scales creates it, if policies allow that",
            "aws iam create-service-linked-role --aws-service-name sagemaker.application-autoscaling.amazonaws.com",
        )
    else:
        yield "ok", f"the role {SCALING_ROLE} exists", ""


def _alias(client: Client, name: str) -> None:
    client("kms").describe_key(KeyId=name)


def _log_group(client: Client, name: str) -> None:
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if not any(group["logGroupName"] == name for group in groups):
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": name}}, "DescribeLogGroups")


def _parameter(client: Client, name: str) -> None:
    if client("ssm").get_parameters(Names=[name])["InvalidParameters"]:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": name}}, "GetParameters")


PROBES: dict[str, tuple[Callable[[Client, str], Any], str]] = {
    "AWS::S3::Bucket": (lambda client, name: client("s3").head_bucket(Bucket=name), "aws s3 rb s3://{} --force"),
    "AWS::IAM::Role": (
        lambda client, name: client("iam").get_role(RoleName=name),
        "aws iam delete-role --role-name {}",
    ),
    "AWS::SQS::Queue": (
        lambda client, name: client("sqs").get_queue_url(QueueName=name),
        "delete the queue {}: console, SQS > Queues",
    ),
    "AWS::KMS::Alias": (_alias, "aws kms delete-alias --alias-name {}"),
    "AWS::Logs::LogGroup": (_log_group, "aws logs delete-log-group --log-group-name {}"),
    "AWS::Lambda::Function": (
        lambda client, name: client("lambda").get_function(FunctionName=name),
        "aws lambda delete-function --function-name {}",
    ),
    "AWS::SageMaker::ModelPackageGroup": (
        lambda client, name: client("sagemaker").describe_model_package_group(ModelPackageGroupName=name),
        "delete its versions and the group: aws sagemaker delete-model-package-group --model-package-group-name {}",
    ),
    "AWS::SageMaker::Pipeline": (
        lambda client, name: client("sagemaker").describe_pipeline(PipelineName=name),
        "aws sagemaker delete-pipeline --pipeline-name {}",
    ),
    "AWS::SSM::Parameter": (_parameter, "aws ssm delete-parameter --name {}"),
}
"""How to find out whether a name exists, and the command that deletes it, by the types of `needs.NAME_PROPERTIES`."""
