"""`model-factory local up`: run the embedded AWS until it is interrupted."""

import os
import signal
import threading
from pathlib import Path

from rich.console import Console

from local_aws.bootstrap import bootstrap
from local_aws.server import LocalAws, PortInUseError
from local_aws.state_folder import StateInUseError
from model_factory.config.delivery import CODECOMMIT, Delivery

from ..project import Project, UsageError

STATE = Path(".local_aws")
STEPS = """\
  cdk deploy --all --require-approval never
  model-factory status
"""


def all_accounts(project: Project) -> dict[str, tuple[str, str]]:
    """Account and region by profile: of the environments, and last of the tooling account when there is a `delivery`."""
    delivery = project.factory.delivery
    if delivery is None:
        return project.accounts
    return project.accounts | {project.factory.delivery_names(delivery).prefix: (delivery.account, delivery.region)}


def create_repository(local: LocalAws, delivery: Delivery) -> Path:
    """Create the source repository: of the connection, or of CodeCommit in the tooling account. The path to push to."""
    if delivery.source != CODECOMMIT:
        return local.repositories.create(delivery.repository)
    codecommit = local.accounts.client("codecommit", delivery.account, delivery.region)
    metadata = codecommit.create_repository(repositoryName=delivery.repository)["repositoryMetadata"]
    return Path(metadata["cloneUrlHttp"])


def delivery_steps(project: Project, delivery: Delivery, repository: Path) -> str:
    """How to deploy the delivery pipeline once, and how to push to it."""
    stack = project.factory.delivery_names(delivery).delivery_pipeline
    return f"""\
  git remote add local {repository}
  git push local HEAD:{delivery.branch}
  cdk deploy {stack} --require-approval never
  model-factory deliveries

The pipeline deploys the environments, and so does every later git push local HEAD:{delivery.branch}
"""


def up(project: Project, port: int, console: Console) -> None:
    """Start the embedded AWS, bootstrap every account of factory.yaml, print how to use it, and wait for Ctrl-C.

    With `delivery`, also the tooling account, which the environments trust, and the repository to push to.
    """
    accounts = all_accounts(project)
    delivery = project.factory.delivery
    try:
        local = LocalAws(project.root / STATE, port)
    except PortInUseError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}; give another --port") from None
    except StateInUseError as error:
        raise UsageError(str(error)) from None
    local.start()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        console.print(f"embedded AWS at {local.endpoint_url}; bootstrapping {', '.join(accounts)}")
        bootstrap(local, accounts, trust=delivery.account if delivery else None)
        console.print(
            "Ready. Ctrl-C stops it and deletes everything in it. In another terminal:\n\n"
            f"  export AWS_ENDPOINT_URL={local.endpoint_url} AWS_CONFIG_FILE={os.environ['AWS_CONFIG_FILE']}\n"
            f"  export AWS_PROFILE={next(reversed(accounts))}\n"
            f"{delivery_steps(project, delivery, create_repository(local, delivery)) if delivery else STEPS}",
            markup=False,
            soft_wrap=True,
        )
        stop.wait()
    finally:
        console.print("stopping")
        local.stop()
