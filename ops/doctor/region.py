"""Checks of the region: services, public parameters, images, and zones of isolated networks."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from model_factory.config.factory import ExistingNetwork
from model_factory.core.image import ImageError, repository

from .account import Found
from .findings import error_code
from .needs import Needs

type Client = Callable[[str], Any]

NAMES_PER_REQUEST = 10
"""The limit of GetParameters."""
CHANGE_IMAGE = "change training.image in model.yaml"
CHANGE_NETWORK = "change `network` in factory.yaml"
POWERTOOLS = "/aws/service/powertools/"


def services(client: Client, region: str, needs: Needs) -> Iterator[Found]:
    """The region offers every service, by AWS's public parameters."""
    prefix = f"/aws/service/global-infrastructure/regions/{region}/services/"
    missing = [name.removeprefix(prefix) for name in _missing(client, [f"{prefix}{each}" for each in needs.services])]
    for service in missing:
        yield "problem", f"{region} does not offer the service {service}", "choose another region in factory.yaml"
    if not missing:
        yield "ok", f"{region} offers {', '.join(needs.services)}", ""


def parameters(client: Client, region: str, needs: Needs) -> Iterator[Found]:
    """Every parameter that a template reads at its deployment exists."""
    missing = _missing(client, sorted(needs.parameters))
    for name in missing:
        mend = (
            "choose another region in factory.yaml" if name.startswith(POWERTOOLS) else f"create the parameter {name}"
        )
        yield "problem", f"{region} has no parameter {name}: the deployment fails", mend
    for name in sorted(needs.parameters - set(missing)):
        yield "ok", f"parameter {name} exists", ""


def images(client: Client, needs: Needs) -> Iterator[Found]:
    """Every image of jobs and endpoints can be pulled."""
    for image in sorted(needs.images):
        try:
            account, _, name = repository(image)
        except ImageError as error:
            yield "problem", str(error), CHANGE_IMAGE
            continue
        identifier = _image_id(image)
        try:
            response = client("ecr").batch_get_image(registryId=account, repositoryName=name, imageIds=[identifier])
        except ClientError as error:
            if error_code(error) != "RepositoryNotFoundException":
                raise
            yield "problem", f"{image}: account {account} has no such repository in this region", CHANGE_IMAGE
            continue
        if response["images"]:
            yield "ok", f"image {image} exists", ""
        else:
            reason = next((each.get("failureReason", "") for each in response["failures"]), "not found")
            yield "problem", f"{image}: {reason}", "push the image, or change training.image in model.yaml"


def zones(client: Client, needs: Needs) -> Iterator[Found]:
    """Every zone of the network's subnets offers the services of its VPC endpoints."""
    if not needs.zones:
        return
    described = client("ec2").describe_availability_zones(
        Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}]
    )
    available = sorted(zone["ZoneName"] for zone in described["AvailabilityZones"] if zone["State"] == "available")
    beyond = [zone for zone in needs.zones if isinstance(zone, int) and zone >= len(available)]
    if beyond:
        yield (
            "problem",
            f"the network has subnets in {len(needs.zones)} zones; you can use {', '.join(available)}",
            "use another region",
        )
        return
    chosen = sorted({available[zone] if isinstance(zone, int) else zone for zone in needs.zones})
    names = sorted(needs.interface_services)
    offered = client("ec2").describe_vpc_endpoint_services(ServiceNames=names)["ServiceDetails"] if names else []
    by_service = {detail["ServiceName"]: set(detail["AvailabilityZones"]) for detail in offered}
    common = set(available).intersection(*by_service.values()) if by_service else set(available)
    lacking = {name: [zone for zone in chosen if zone not in by_service.get(name, ())] for name in names}
    for name, without in lacking.items():
        if without:
            fitting = ", ".join(sorted(common)) or "no zone"
            mend = f"all services are in {fitting}; give an existing network there, `network` in factory.yaml"
            yield "problem", f"{name} has no endpoint in {', '.join(without)}, where the network has subnets", mend
    if not any(lacking.values()):
        yield "ok", f"{', '.join(chosen)} offer the endpoints of {len(names)} services", ""


def existing_network(client: Client, network: ExistingNetwork, needs: Needs) -> Iterator[Found]:
    """The subnets and security groups of an existing network are in its VPC, and let instances of one training connect."""
    parts = (
        ("subnet", network.subnets, "describe_subnets", "SubnetIds", "Subnets", "SubnetId"),
        (
            "security group",
            network.security_groups,
            "describe_security_groups",
            "GroupIds",
            "SecurityGroups",
            "GroupId",
        ),
    )
    for noun, ids, operation, parameter, collection, key in parts:
        try:
            described = getattr(client("ec2"), operation)(**{parameter: ids})[collection]
        except ClientError as error:
            if not error_code(error).endswith("NotFound"):
                raise
            yield "problem", f"`network` in factory.yaml: {error.response['Error']['Message']}", CHANGE_NETWORK
            continue
        outside = [each[key] for each in described if each["VpcId"] != network.vpc]
        for identifier in outside:
            yield "problem", f"{noun} {identifier} is not in {network.vpc}", CHANGE_NETWORK
        if not outside:
            yield "ok", f"{', '.join(ids)} in {network.vpc}", ""
        if needs.peers and noun == "security group":
            yield from _peers(described)


def _peers(groups: list[dict[str, Any]]) -> Iterator[Found]:
    """The rules between members of the groups, in both directions, that training jobs with several instances need.

    Sources: developer guide, "Give SageMaker AI Training Jobs Access to Resources in Your Amazon VPC" and "Protect Communications
    Between ML Compute Instances in a Distributed Training Job".
    """
    own = {group["GroupId"] for group in groups}
    for direction, rules in (("inbound", "IpPermissions"), ("outbound", "IpPermissionsEgress")):
        given = [rule for group in groups for rule in group.get(rules, []) if _is_between(rule, own)]
        lacking = [what for what, admits in PEER_TRAFFIC.items() if not any(map(admits, given))]
        if lacking:
            yield (
                "problem",
                f"{', '.join(sorted(own))}: no {direction} rule between members for {', '.join(lacking)}, which the instances of "
                "one training need",
                f"add an {direction} rule for all traffic from the group to itself",
            )


def _is_between(rule: dict[str, Any], groups: set[str]) -> bool:
    """Whether a rule is about members of the groups, or about addresses, which can be theirs."""
    return bool({pair["GroupId"] for pair in rule.get("UserIdGroupPairs", [])} & groups or rule.get("IpRanges"))


def _has_ports(rule: dict[str, Any], protocol: str, first: int, last: int) -> bool:
    return rule["IpProtocol"] == protocol and rule["FromPort"] <= first and rule["ToPort"] >= last


PEER_TRAFFIC: dict[str, Callable[[dict[str, Any]], bool]] = {
    "all ports of TCP": lambda rule: rule["IpProtocol"] == "-1" or _has_ports(rule, "tcp", 0, 65535),
    "IPsec (UDP 500)": lambda rule: rule["IpProtocol"] == "-1" or _has_ports(rule, "udp", 500, 500),
    "IPsec (protocol 50)": lambda rule: rule["IpProtocol"] in ("-1", "50"),
}
"""What instances of one training send to each other; whether a rule admits it."""


def _missing(client: Client, names: list[str]) -> list[str]:
    """The parameters that do not exist."""
    missing: list[str] = []
    for start in range(0, len(names), NAMES_PER_REQUEST):
        missing += client("ssm").get_parameters(Names=names[start : start + NAMES_PER_REQUEST])["InvalidParameters"]
    return missing


def _image_id(image: str) -> dict[str, str]:
    name = image.rsplit("/", 1)[-1]
    if "@" in name:
        return {"imageDigest": name.partition("@")[2]}
    return {"imageTag": name.partition(":")[2]}
