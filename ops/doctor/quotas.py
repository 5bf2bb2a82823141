"""Checks of service quotas: what Service Quotas says is applied, against what the templates and endpoints need.

Codes and names are those of Service Quotas. Instances are found by name, because each type and usage has a quota of its own.
Other users of the account come on top of what is compared here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .account import Found
from .findings import error_code
from .needs import ENDPOINT, WARM_POOL, Needs

type Client = Callable[[str], Any]

FUNCTION_CONCURRENCY = 2
"""Smallest concurrency with which Lambda polls a queue (`MaximumConcurrency` of an event source)."""


@dataclass(frozen=True)
class Quota:
    """A quota: service and code in Service Quotas, its name, and the number that is needed. `advice`: what happens below it."""

    service: str
    code: str
    name: str
    need: int
    advice: str = "the deployment fails"


def counted(needs: Needs) -> list[Quota]:
    """The quotas on numbers of resources, for the resources that the templates have."""
    count = needs.resources
    endpoints = sum(each.least for each in needs.instances if each.usage == ENDPOINT)
    quotas = [
        Quota("cloudformation", "L-0485CB21", "Stacks", len(needs.named)),
        Quota("events", "L-244521F2", "Number of rules (on one event bus)", count["AWS::Events::Rule"]),
        Quota("iam", "L-FE177D64", "Roles per account", count["AWS::IAM::Role"]),
        Quota("kms", "L-C2F1777E", "Customer managed keys", count["AWS::KMS::Key"]),
        Quota("s3", "L-DC2B2D3D", "Buckets", count["AWS::S3::Bucket"]),
        Quota("sns", "L-61103206", "Topics per account", count["AWS::SNS::Topic"]),
        Quota("ssm", "L-C3B871CB", "Standard parameters", count["AWS::SSM::Parameter"]),
        Quota("sagemaker", "L-E8EADE50", "Pipelines", count["AWS::SageMaker::Pipeline"]),
        Quota("sagemaker", "L-BC8DC54C", "Model package groups", count["AWS::SageMaker::ModelPackageGroup"]),
        Quota("vpc", "L-F678F1CE", "VPCs per region", count["AWS::EC2::VPC"]),
        Quota("vpc", "L-29B6F2EB", "Interface VPC endpoints per VPC", len(needs.interface_services)),
        Quota(
            "lambda",
            "L-B99A9384",
            "Concurrent executions",
            FUNCTION_CONCURRENCY * count["AWS::Lambda::Function"],
            "functions are throttled",
        ),
        Quota(
            "sagemaker",
            "L-7A3DF611",
            "Number of instances across active endpoints",
            endpoints,
            "endpoints are not created",
        ),
    ]
    return [quota for quota in quotas if quota.need]


UNLISTED = {
    "AWS::Scheduler::Schedule": ("schedules", 1_000_000, "EventBridge Scheduler quotas"),
    "AWS::CloudWatch::Alarm": ("alarms", 5_000, "CloudWatch service quotas"),
}
"""Quotas whose code is not known: resource type -> noun, documented default, page of the documentation."""


def resources(client: Client, region: str, needs: Needs) -> Iterator[Found]:
    """Quotas on numbers of resources. Those with room are one finding."""
    enough: list[str] = []
    for quota in counted(needs):
        # IAM's quotas are in one region of the partition.
        service = client(f"service-quotas:{_iam_region(region)}" if quota.service == "iam" else "service-quotas")
        value = _applied(service, quota)
        if value is None:
            yield "not checked", f"{quota.name}: Service Quotas has no {quota.service} {quota.code} in {region}", ""
        elif value < quota.need:
            page = _page(region, quota.service, quota.code)
            yield "problem", f"{quota.name}: {value:.0f}, needed {quota.need}; below that {quota.advice}", page
        else:
            enough.append(f"{quota.name} {quota.need} of {value:.0f}")
    for kind, (noun, default, page) in UNLISTED.items():
        number = needs.resources[kind]
        if number > default:
            yield "warning", f"{number} {noun}; the documented default is {default}", f"{page} in AWS's documentation"
        elif number:
            enough.append(f"{noun} {number} of {default} (documented default)")
    if enough:
        yield "ok", f"needed of each quota: {', '.join(enough)}", ""


def instances(client: Client, region: str, needs: Needs) -> Iterator[Found]:
    """Quotas on SageMaker instances by type and usage."""
    if not needs.instances:
        return
    wanted = {each.quota_name for each in needs.instances}
    found = _by_name(client("service-quotas"), wanted)
    for each in needs.instances:
        quota = found.get(each.quota_name)
        if quota is None:
            yield (
                "problem",
                f"{region} has no quota {each.quota_name!r}: SageMaker does not offer it there",
                "choose another instance type",
            )
            continue
        value, page = quota["Value"], _page(region, "sagemaker", quota["QuotaCode"])
        facts = f"{each.quota_name}: {value:.0f}, needed {each.least}"
        if value < each.least and each.usage == WARM_POOL:
            yield "warning", f"{facts}; instances are not kept after a training, which succeeds all the same", page
        elif value < each.least:
            yield "problem", f"{facts}; jobs or endpoints fail with ResourceLimitExceeded", page
        elif value < each.most:
            yield (
                "warning",
                f"{facts}, and {each.most} when all models run, scale or are updated at the same time",
                page,
            )
        else:
            yield "ok", f"{facts}, at most {each.most}", ""


def _applied(service: Any, quota: Quota) -> float | None:
    """The applied value, else AWS's default; None when there is no such quota."""
    for operation in (service.get_service_quota, service.get_aws_default_service_quota):
        try:
            return operation(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]["Value"]
        except ClientError as error:
            if error_code(error) != "NoSuchResourceException":
                raise
    return None


def _by_name(service: Any, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """SageMaker's quotas with these names. Quotas that were never changed may be in the list of defaults only."""
    found: dict[str, dict[str, Any]] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in service.get_paginator(operation).paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] in wanted:
                    found.setdefault(quota["QuotaName"], quota)
            if wanted <= set(found):
                return found
    return found


def _iam_region(region: str) -> str:
    """The region of the partition that has IAM's quotas."""
    return {"cn": "cn-north-1", "us-gov": "us-gov-west-1"}.get(region.rsplit("-", 2)[0], "us-east-1")


def _page(region: str, service: str, code: str) -> str:
    """The console page on which an increase is requested."""
    return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/{service}/quotas/{code}"
