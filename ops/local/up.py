"""`model-factory local up`: run the embedded AWS until it is interrupted."""

import os
import signal
import threading
from pathlib import Path

from rich.console import Console

from local_aws.bootstrap import bootstrap
from local_aws.server import LocalAws, PortInUseError
from local_aws.state_folder import StateInUseError

from ..project import Project, UsageError

STATE = Path(".local_aws")


def up(project: Project, port: int, console: Console) -> None:
    """Start the embedded AWS, bootstrap every account of factory.yaml, print how to use it, and wait for Ctrl-C."""
    accounts = project.accounts
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
        bootstrap(local, accounts)
        console.print(
            "Ready. Ctrl-C stops it and deletes everything in it. In another terminal:\n\n"
            f"  export AWS_ENDPOINT_URL={local.endpoint_url} AWS_CONFIG_FILE={os.environ['AWS_CONFIG_FILE']}\n"
            f"  export AWS_PROFILE={next(reversed(accounts))}\n"
            "  cdk deploy --all --require-approval never\n"
            "  model-factory status\n",
            soft_wrap=True,
        )
        stop.wait()
    finally:
        console.print("stopping")
        local.stop()
