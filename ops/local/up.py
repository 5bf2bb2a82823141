"""`model-factory local up`: run the embedded AWS until it is interrupted."""

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from local_aws.bootstrap import CdkError, bootstrap_places, write_profiles
from local_aws.cli import forget_aws_settings, history
from local_aws.kept.state_file import StateFileError
from local_aws.server import LocalAws, PortInUseError
from local_aws.state_folder import StateInUseError
from model_factory.config.delivery import CODECOMMIT, Delivery

from ..project import Project, UsageError

STATE = Path(".local_aws")
TOOLKIT = "CDKToolkit"
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


def own_images(root: Path) -> dict[str, Path]:
    """Requirements of images of one's own, by repository: `images/<repository>/requirements.lock`, or else requirements.txt."""
    folder, found = root / "images", dict[str, Path]()
    for name in ("requirements.txt", "requirements.lock"):
        found |= {path.parent.relative_to(folder).as_posix(): path for path in sorted(folder.rglob(name))}
    return found


def create_repository(local: LocalAws, delivery: Delivery) -> Path:
    """Create the source repository, if it is not there: of the connection, or of CodeCommit in the tooling account.

    Returns the path to push to.
    """
    if delivery.source != CODECOMMIT:
        path = local.repositories.path(delivery.repository)
        return path if path.exists() else local.repositories.create(delivery.repository)
    codecommit = local.accounts.client("codecommit", delivery.account, delivery.region)
    try:
        metadata = codecommit.get_repository(repositoryName=delivery.repository)["repositoryMetadata"]
    except codecommit.exceptions.RepositoryDoesNotExistException:
        metadata = codecommit.create_repository(repositoryName=delivery.repository)["repositoryMetadata"]
    return Path(metadata["cloneUrlHttp"])


def not_bootstrapped(
    local: LocalAws, accounts: Mapping[str, tuple[str, str]], trust: str | None
) -> set[tuple[str, str]]:
    """The accounts and regions without CDK's bootstrap stack, or with one that does not trust the account `trust`.

    All of them, unless state was kept.
    """
    places = set(accounts.values())
    if local.restored is None:
        return places
    return {(account, region) for account, region in places if not _is_bootstrapped(local, account, region, trust)}


def _is_bootstrapped(local: LocalAws, account: str, region: str, trust: str | None) -> bool:
    cloudformation = local.accounts.client("cloudformation", account, region)
    try:
        (stack,) = cloudformation.describe_stacks(StackName=TOOLKIT)["Stacks"]
    except cloudformation.exceptions.ClientError:
        return False
    values = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    # Moto shows a list of values in Python's form, CloudFormation with commas between them.
    return trust in (None, account) or trust in values.get("TrustedAccounts", "")


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


def up(project: Project, port: int, console: Console, *, keep: bool = False) -> None:
    """Start the embedded AWS, bootstrap every account of factory.yaml, print how to use it, and wait for Ctrl-C.

    With `delivery`, also the tooling account, which the environments trust, and the repository to push to. With `keep`, the
    state of all services is kept for the next start; an account that was bootstrapped then is not bootstrapped again.
    """
    accounts = all_accounts(project)
    delivery = project.factory.delivery
    forget_aws_settings()
    try:
        local = LocalAws(project.root / STATE, port, keep=keep, images=own_images(project.root))
        local.start()
    except PortInUseError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}; give another --port") from None
    except (StateInUseError, StateFileError) as error:
        raise UsageError(str(error)) from None
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        trust = delivery.account if delivery else None
        places = not_bootstrapped(local, accounts, trust)
        names = ", ".join(name for name, place in accounts.items() if place in places)
        console.print(f"embedded AWS at {local.endpoint_url}" + (f"; bootstrapping {names}" if names else ""))
        for line in history(local):
            console.print(line, markup=False)
        bootstrap_places(local, places, trust=trust)
        write_profiles(local, accounts)
        end = "keeps everything in it for the next start with --keep" if keep else "deletes everything in it"
        console.print(
            f"Ready. Ctrl-C stops it and {end}. In another terminal:\n\n"
            f"  export AWS_ENDPOINT_URL={local.endpoint_url} AWS_CONFIG_FILE={os.environ['AWS_CONFIG_FILE']}\n"
            f"  export AWS_PROFILE={next(reversed(accounts))}\n"
            f"{delivery_steps(project, delivery, create_repository(local, delivery)) if delivery else STEPS}",
            markup=False,
            soft_wrap=True,
        )
        stop.wait()
    except CdkError as error:
        raise UsageError(str(error)) from None
    finally:
        console.print("stopping")
        local.stop()
