"""Application Auto Scaling's checks of its caller's permissions for the endpoint and for CloudWatch.

Sources: Application Auto Scaling user guide, "Permissions validation for Application Auto Scaling API calls on target
resources" (the caller gets a ValidationException with the missing permission), "Additional permissions for target
resources" (SageMaker endpoints: on every alarm) and "Service-linked roles". The calls of such a validation have empty or
invented identifiers, so the caller needs CloudWatch's permissions on all alarms.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from moto.core.exceptions import JsonRESTError

from ..authorization import AccessDeniedError
from ..interfaces import EmbeddedAws

_ALARMS = ("DescribeAlarms", "PutMetricAlarm", "DeleteAlarms")
_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_ROLE_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"


def _needs(operation: str, account: str, region: str, endpoint: str, configuration: str) -> list[tuple[str, str]]:
    """The (action, resource) pairs that the caller of `operation` has to be allowed."""
    if operation == "put_scaling_policy":
        return [(f"cloudwatch:{action}", f"arn:aws:cloudwatch:{region}:{account}:alarm:*") for action in _ALARMS]
    sagemaker = f"arn:aws:sagemaker:{region}:{account}"
    return [
        ("sagemaker:DescribeEndpoint", f"{sagemaker}:endpoint/{endpoint}"),
        ("sagemaker:DescribeEndpointConfig", f"{sagemaker}:endpoint-config/{configuration or endpoint}"),
        ("sagemaker:UpdateEndpointWeightsAndCapacities", f"{sagemaker}:endpoint/{endpoint}"),
    ]


def install(local: EmbeddedAws) -> None:
    """Refuse calls for SageMaker endpoints whose caller lacks a permission, from the first use of Application Auto Scaling."""
    checks = _CallerChecks(local)

    def replace(moto: ModuleType) -> None:
        for operation in ("register_scalable_target", "put_scaling_policy"):
            served = getattr(moto.ApplicationAutoScalingResponse, operation)
            local.replace(moto.ApplicationAutoScalingResponse, operation, checks.before(operation, served))

    local.when_imported("moto.applicationautoscaling.responses", replace)


class _CallerChecks:
    def __init__(self, local: EmbeddedAws) -> None:
        self._local = local
        self._accounts_with_role: set[str] = set()
        local.stores.add("scaling", lambda: self._accounts_with_role, self._accounts_with_role.update)

    def before(self, operation: str, serve: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`serve`, after the checks of `operation`."""

        def serve_where_permitted(response: Any) -> Any:
            if response._get_param("ServiceNamespace") == "sagemaker":
                self._check_all(response, operation)
            return serve(response)

        return serve_where_permitted

    def _check_all(self, response: Any, operation: str) -> None:
        account, region = response.current_account, response.region
        endpoint = response._get_param("ResourceId").split("/")[1]
        configuration = _configuration(self._local.accounts.client("sagemaker", account, region), endpoint)
        for action, resource in _needs(operation, account, region, endpoint, configuration):
            self._check(response, action, resource)
        if account not in self._accounts_with_role:
            role = f"arn:aws:iam::{account}:role/aws-service-role/{_ROLE_SERVICE}/{_ROLE}"
            self._check(response, "iam:CreateServiceLinkedRole", role, **{"iam:AWSServiceName": _ROLE_SERVICE})
            self._accounts_with_role.add(account)

    def _check(self, response: Any, action: str, resource: str, **keys: str) -> None:
        key = response.get_access_key()
        try:
            self._local.authorization.check_caller(key, action, resource, keys, response.region)
        except AccessDeniedError as refusal:
            raise JsonRESTError("ValidationException", f"Missing permission: {refusal}") from None


def _configuration(sagemaker: Any, endpoint: str) -> str:
    """The name of the endpoint's configuration; empty when there is no such endpoint."""
    try:
        return sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    except sagemaker.exceptions.ClientError:
        return ""
