"""Entry point of `model-factory`: puts the commands of ops/commands/ together and turns errors into messages."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from model_factory.config import ConfigError

from .commands import alerts, delivery, explanation, first_deployment, lineage, local, operations, removal, repository
from .options import err, print_mistakes
from .project import UsageError
from .refusals import explain
from .repository.init import DISTRIBUTION

LOCAL_PACKAGES = ("local_aws", "pandas", "pyarrow", "numpy")
"""Import names of packages in the extra `local` that commands use."""

app = typer.Typer(no_args_is_help=True, invoke_without_command=True)


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Machine learning on AWS from `git push` to a monitored endpoint."""
    if show_version:
        print(version(DISTRIBUTION))
        raise typer.Exit


for group in (repository, operations, lineage, explanation, alerts, delivery, removal, first_deployment, local):
    group.register(app)


def main() -> None:
    """Run the command. A user's mistake is printed as a message on standard error, without a traceback; exit code 1."""
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    try:
        app()
    except ConfigError as error:
        print_mistakes(list(map(str, error.mistakes)))
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name not in LOCAL_PACKAGES:
            raise
        _fail(f"this command needs {error.name}: pip install '{DISTRIBUTION}[local]=={version(DISTRIBUTION)}'")
    except ClientError as error:
        _fail(explain(error))
    except (UsageError, BotoCoreError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    err.print(f"model-factory: {message}", markup=False, soft_wrap=True)
    sys.exit(1)
