"""The network of a session's calls, and the policy of the VPC endpoint that they pass.

Sources: Amazon VPC user guide, "AWS PrivateLink", "Control access to VPC endpoints using endpoint policies"; IAM user
guide, "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from moto.backends import get_backend
from moto.core.utils import get_service_model

from local_aws.authorization.policies import Document, parse
from local_aws.authorization.requests import Call

# Where PrivateLink does not name a service by the parts of its host name, from the last to the first.
_OTHERWISE = {"application-autoscaling": "application-autoscaling"}


class NoRouteError(ConnectionError):
    """The caller's network has no route to the service: on AWS the call would time out."""


@dataclass(frozen=True)
class _Place:
    account: str
    region: str
    vpc: str
    subnets: tuple[str, ...]


_PLACES: dict[str, _Place] = {}


def place(access_key_id: str, account: str, region: str, subnets: Sequence[str]) -> None:
    """Calls signed with this key leave from these subnets. Raises LookupError naming a subnet that does not exist."""
    backend = _ec2(account, region)
    known = {subnet.id: subnet.vpc_id for zone in backend.subnets.values() for subnet in zone.values()}
    if unknown := [subnet for subnet in subnets if subnet not in known]:
        raise LookupError(f"The subnet ID '{unknown[0]}' does not exist")
    vpc = known[subnets[0]]
    _PLACES[access_key_id] = _Place(account, region, vpc, tuple(subnets))


def endpoint_policy(access_key_id: str, call: Call) -> Document | None:
    """The policy of the endpoint that the call passes; None without a network, or with a route to the internet.

    Raises NoRouteError.
    """
    at = _PLACES.get(access_key_id)
    if at is None:
        return None
    backend = _ec2(at.account, at.region)
    name = f"com.amazonaws.{call.region}.{_private_link_name(call.service)}"
    for endpoint in list(backend.vpc_end_points.values()):
        if (endpoint.vpc_id, endpoint.service_name) == (at.vpc, name):
            return parse(endpoint.id, endpoint.policy_document)
    if _reaches_the_internet(backend, at):
        return None
    raise NoRouteError(f"{at.vpc} has no endpoint {name} and no route to the internet: the call would time out on AWS")


def _ec2(account: str, region: str) -> Any:
    """Moto's EC2, which takes a second to import: at the first use of a network."""
    return get_backend("ec2")[account][region]


@cache
def _private_link_name(service: str) -> str:
    host = str(get_service_model(service).metadata["endpointPrefix"])
    return _OTHERWISE.get(service, ".".join(reversed(host.split("."))))


def _reaches_the_internet(backend: Any, at: _Place) -> bool:
    tables = [table for table in backend.route_tables.values() if table.vpc_id == at.vpc]
    own = [table for table in tables if any(each.get("SubnetId") in at.subnets for each in table.associations)]
    main = [table for table in tables if table.main_association_id is not None]
    routes = [route for table in own or main for route in table.routes]
    return any(route.destination_cidr_block == "0.0.0.0/0" for route in routes)
