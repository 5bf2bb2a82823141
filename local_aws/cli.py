"""The command `local-aws`: the embedded AWS in the foreground."""

import argparse
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__

if TYPE_CHECKING:
    from .server import LocalAws

DEFAULT_PORT = 4566
ACCOUNT = re.compile(r"(\d{12}):([a-z]{2}(?:-[a-z]+)+-\d)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # Imported here, so that --version and --help answer at once.
    from .bootstrap import CdkError
    from .server import LocalAws

    forget_aws_settings()
    with ExitStack() as stack:
        if options.keep and not options.state:
            print("local-aws: --keep needs --state, the folder for what is kept", file=sys.stderr)
            return 2
        if missing := [str(path) for _, path in options.image if not path.exists()]:
            print(f"local-aws: {missing[0]}, named with --image, does not exist", file=sys.stderr)
            return 2
        state = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="local-aws-")))
        try:
            local = stack.enter_context(LocalAws(state, options.port, keep=options.keep, images=dict(options.image)))
            print(_instructions(local), flush=True)
            for line in history(local):
                print(line, flush=True)
            if options.account:
                print(_bootstrap(local, options.account), flush=True)
        except (CdkError, OSError) as error:
            print(f"local-aws: {error}", file=sys.stderr)
            return 1
        print("Ctrl-C stops the embedded AWS.", flush=True)
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-aws", description="An embedded AWS that runs SageMaker on this machine."
    )
    parser.add_argument("--version", action="version", version=f"local-aws {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the embedded AWS and serve until Ctrl-C")
    up.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"the port on localhost (default: {DEFAULT_PORT})")
    up.add_argument(
        "--account",
        type=_account,
        action="append",
        default=[],
        metavar="ID:REGION",
        help="bootstrap an account and region for the CDK (repeatable; needs local-aws[cdk])",
    )
    up.add_argument(
        "--image",
        type=_image,
        action="append",
        default=[],
        metavar="REPOSITORY=PATH",
        help="libraries of containers of an image: a file of requirements or a virtual environment (repeatable)",
    )
    up.add_argument(
        "--state", type=Path, metavar="DIR", help="folder for files of jobs and endpoints (default: a temporary one)"
    )
    up.add_argument("--keep", action="store_true", help="keep the state of all services in --state over a restart")
    return parser


def _account(text: str) -> tuple[str, str]:
    match = ACCOUNT.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an account id and a region, as in 111111111111:eu-west-1")
    return match[1], match[2]


def _image(text: str) -> tuple[str, Path]:
    repository, _, path = text.partition("=")
    if not repository or not path:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a repository and a file or folder, as in churn=images/churn/requirements.txt"
        )
    return repository, Path(path)


def _instructions(local: "LocalAws") -> str:
    variables = "\n".join(f"  export {name}={value}" for name, value in local.environment().items())
    return f"The embedded AWS answers at {local.endpoint_url}. In another terminal:\n{variables}"


def forget_aws_settings() -> None:
    """Remove what the shell says about an AWS, such as the profile of an embedded AWS that does not run any more."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


def history(local: "LocalAws") -> list[str]:
    """Sentences about what a server before this one has left: kept state, lost changes, processes."""
    lines: list[str] = []
    if local.left:
        what = "a process" if local.left == 1 else f"{local.left} processes"
        lines.append(f"Ended {what} of an embedded AWS that was killed.")
    if local.restored:
        time = local.restored.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"The state of {time} is back.")
        if not local.restored.at_stop:
            lines.append("The embedded AWS before this one was killed: what changed after that is lost.")
    return lines


def _bootstrap(local: "LocalAws", accounts: list[tuple[str, str]]) -> str:
    from .bootstrap import bootstrap

    profiles = {f"{account}-{region}": (account, region) for account, region in accounts}
    bootstrap(local, profiles)
    config = os.environ["AWS_CONFIG_FILE"]
    return f"Bootstrapped for the CDK: the profiles {', '.join(profiles)} of\n  export AWS_CONFIG_FILE={config}"
