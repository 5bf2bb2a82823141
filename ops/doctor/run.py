"""The checks of one environment, in the order in which a first deployment would fail."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from botocore.config import Config

from model_factory.config.factory import ExistingNetwork

from ..project import EnvironmentSession, UsageError
from . import account, publishing, quotas, region
from .assembly import Stack, stacks_of, synthesized
from .findings import Check, Finding, Status, run_checks
from .job_logs import job_logs
from .needs import Needs, needs_of

RETRIES = Config(retries={"mode": "adaptive", "max_attempts": 8})
"""SageMaker has thousands of quotas on dozens of pages, which are throttled."""


def examine(session: EnvironmentSession, assembly: Path | None) -> list[Finding]:
    """The findings for an environment. Calls read only.

    `assembly`: folder of a cloud assembly; default: the app of cdk.json is run. Raises UsageError when it has no stacks.
    """
    with nullcontext(assembly) if assembly else synthesized(session.project.root) as folder:
        stacks = stacks_of(session, folder)
    needs = needs_of(stacks, session.project.models)
    findings = list(run_checks([Check("credentials", lambda: _credentials(session))]))
    if findings[-1].status == "ok":
        return [*findings, *run_checks(_checks(session, stacks, needs))]
    return findings


def _credentials(session: EnvironmentSession) -> Iterator[tuple[Status, str, str]]:
    try:
        arn = session.caller_arn
    except UsageError as error:
        yield "problem", str(error), f"aws configure sso --profile {session.names.prefix}"
        return
    yield "ok", f"{arn} is in account {session.environment.account}, as factory.yaml says", ""


def _checks(session: EnvironmentSession, stacks: list[Stack], needs: Needs) -> list[Check]:
    client, name = _clients(session), session.environment.region
    deployed: dict[str, bool] = {}
    return [
        Check("bootstrap", lambda: account.bootstrap(session, client, stacks)),
        Check("delivery", lambda: account.delivery_trust(session, client, stacks)),
        Check("services", lambda: region.services(client, name, needs)),
        Check("parameters", lambda: region.parameters(client, name, needs)),
        Check("images", lambda: region.images(client, needs)),
        Check("zones", lambda: region.zones(client, needs)),
        Check("network", lambda: _network(session, client, needs)),
        Check("instances", lambda: quotas.instances(client, name, needs)),
        Check("quotas", lambda: quotas.resources(client, name, needs)),
        Check("publishing", lambda: publishing.publishing(session, client, needs)),
        Check("service-linked roles", lambda: account.service_linked_roles(client, needs)),
        Check("permissions boundary", lambda: account.permissions_boundaries(client, needs)),
        Check("stacks", lambda: account.existing_stacks(client, stacks, deployed)),
        Check("job logs", lambda: job_logs(client)),
        Check("names", lambda: account.existing_names(client, needs, deployed)),
    ]


def _network(
    session: EnvironmentSession, client: Callable[[str], Any], needs: Needs
) -> Iterator[tuple[Status, str, str]]:
    network = session.environment.network
    if isinstance(network, ExistingNetwork):
        yield from region.existing_network(client, network, needs)


def _clients(session: EnvironmentSession) -> Callable[[str], Any]:
    """Clients that wait when they are throttled, by `service` or `service:region`."""
    clients: dict[str, Any] = {}

    def client(key: str) -> Any:
        if key not in clients:
            service, _, other = key.partition(":")
            clients[key] = session.boto_session.client(
                service, region_name=other or session.environment.region, config=RETRIES
            )
        return clients[key]

    return client
