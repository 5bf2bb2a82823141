"""Service Quotas: default quotas of the services that machine learning stacks use; moto has VPC's only.

Names and codes are AWS's. Values are those of AWS's documentation where it has one for every region, else those of this
machine's embedded AWS: 20 instances of a type without accelerators, and 0 of one with them, as in a new account.
"""

import hashlib
from functools import cache
from typing import Any

from moto.core.utils import get_service_model
from moto.servicequotas.resources.default_quotas.vpc import VPC_DEFAULT_QUOTAS
from werkzeug.wrappers import Request

from .interfaces import EmbeddedAws
from .json_api import JsonApi, Record, ServiceError, origin

WARM_POOL = "training warm pool"
USAGES = (
    ("ProcessingInstanceType", "processing job"),
    ("TrainingInstanceType", "training job"),
    ("TrainingInstanceType", "spot training job"),
    ("TrainingInstanceType", WARM_POOL),
    ("TransformInstanceType", "transform job"),
    ("ProductionVariantInstanceType", "endpoint"),
)
"""Enumerations of instance types in SageMaker's API model, and the words in the names of quotas."""
ACCELERATED = ("p", "g", "trn", "inf")
QUOTAS: dict[str, list[tuple[str, str, float]]] = {
    "cloudformation": [("L-0485CB21", "Stack count", 2000)],
    "events": [("L-244521F2", "Number of rules", 300)],
    "iam": [("L-FE177D64", "Roles per account", 1000)],
    "kms": [("L-C2F1777E", "Customer Master Keys (CMKs)", 100_000)],
    "lambda": [("L-B99A9384", "Concurrent executions", 1000)],
    "s3": [("L-DC2B2D3D", "General purpose buckets", 10_000)],
    "sns": [("L-61103206", "Topics per Account", 100_000)],
    "ssm": [("L-C3B871CB", "Standard parameters", 10_000)],
    "sagemaker": [
        ("L-7A3DF611", "Number of instances across active endpoints", 20),
        ("L-E8EADE50", "Maximum number of pipelines allowed per account", 500),
        ("L-BC8DC54C", "Maximum number of SageMaker Model Package Groups allowed per account", 10_000),
    ],
}
"""Code, name and value by service."""
PAGE = 100


def install(local: EmbeddedAws) -> None:
    """Serve Service Quotas."""
    local.serve("servicequotas", ServiceQuotas())


class ServiceQuotas(JsonApi):
    """The operations that read quotas. None was ever changed, so applied values are the defaults."""

    def __init__(self) -> None:
        super().__init__("servicequotas")
        self.add(
            {
                "ListServiceQuotas": _list,
                "ListAWSDefaultServiceQuotas": _list,
                "GetServiceQuota": _get,
                "GetAWSDefaultServiceQuota": _get,
            }
        )

    def respond(self, request: Request, operation: str, content: Record) -> Record:
        """The response of one call. Raises ServiceError."""
        account, region = origin(request)
        return self.operation(operation)(account, region, content) or {}


def _list(account: str, region: str, content: Record) -> Record:
    quotas = _quotas(content["ServiceCode"])
    start, size = int(content.get("NextToken") or 0), min(int(content.get("MaxResults") or PAGE), PAGE)
    page = [_described(account, region, content["ServiceCode"], each) for each in quotas[start : start + size]]
    more = {"NextToken": str(start + size)} if start + size < len(quotas) else {}
    return {"Quotas": page} | more


def _get(account: str, region: str, content: Record) -> Record:
    service, code = content["ServiceCode"], content["QuotaCode"]
    for quota in _quotas(service):
        if quota[0] == code:
            return {"Quota": _described(account, region, service, quota)}
    raise ServiceError("The request failed because the specified quota does not exist.", "NoSuchResourceException")


def _described(account: str, region: str, service: str, quota: tuple[str, str, float]) -> Record:
    code, name, value = quota
    return {
        "ServiceCode": service,
        "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": service == "iam",
    }


@cache
def _quotas(service: str) -> list[tuple[str, str, float]]:
    if service == "vpc":
        return [
            (str(quota["QuotaCode"]), str(quota["QuotaName"]), float(quota["Value"])) for quota in VPC_DEFAULT_QUOTAS
        ]
    if service not in QUOTAS:
        raise ServiceError(
            "The request failed because the specified service does not exist.", "NoSuchResourceException"
        )
    return [*QUOTAS[service], *(_instance_quotas() if service == "sagemaker" else [])]


def _instance_quotas() -> list[tuple[str, str, float]]:
    """A quota for each instance type and usage that SageMaker's API model knows."""
    shapes: Any = get_service_model("sagemaker")
    quotas: list[tuple[str, str, float]] = []
    for enumeration, usage in USAGES:
        for kind in shapes.shape_for(enumeration).enum:
            name = f"{kind} for {usage} usage"
            code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
            accelerated = kind.split(".")[1].startswith(ACCELERATED)
            # Developer guide, 'SageMaker AI Managed Warm Pools': "The default resource limit for warm pools is 0."
            quotas.append((code, name, 0 if accelerated or usage == WARM_POOL else 20))
    return quotas
