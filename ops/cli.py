"""Entry point of `model-factory`: puts the commands of ops/commands/ together and turns errors into messages."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from model_factory.config import ConfigError

from .commands import (
    alerts,
    audit,
    delivery,
    diff,
    evidence,
    explanation,
    first_deployment,
    forgetting,
    lineage,
    local,
    operations,
    removal,
    report,
    repository,
    reproduction,
    scoring,
)
from .options import err, print_mistakes
from .project import UsageError
from .refusals import explain
from .repository.init import DISTRIBUTION

EXTRAS = {"local": ("local_aws", "pandas", "pyarrow", "numpy"), "report": ("htpy", "markupsafe", "matplotlib")}
"""Import names of packages that commands use, by the extra that brings them."""

app = typer.Typer(no_args_is_help=True, invoke_without_command=True)


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Machine learning on AWS from `git push` to a monitored endpoint."""
    if show_version:
        print(version(DISTRIBUTION))
        raise typer.Exit


GROUPS = (
    repository,
    operations,
    scoring,
    audit,
    lineage,
    diff,
    explanation,
    evidence,
    report,
    reproduction,
    forgetting,
    alerts,
    delivery,
    removal,
    first_deployment,
    local,
)
for group in GROUPS:
    group.register(app)


def main() -> None:
    """Run the command. A user's mistake is printed as a message on standard error, without a traceback; exit code 1.

    (2 for `audit`, where 1 says that something is wrong with records, and for `diff`, where it says that something differs.)
    """
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    try:
        app()
    except ConfigError as error:
        print_mistakes(list(map(str, error.mistakes)))
        sys.exit(1)
    except ModuleNotFoundError as error:
        extra = next((extra for extra, packages in EXTRAS.items() if error.name in packages), None)
        if extra is None:
            raise
        _fail(f"this command needs {error.name}: pip install '{DISTRIBUTION}[{extra}]=={version(DISTRIBUTION)}'")
    except ClientError as error:
        _fail(explain(error))
    except UsageError as error:
        _fail(str(error), error.exit_code)
    except BotoCoreError as error:
        _fail(str(error))


def _fail(message: str, code: int = 1) -> None:
    err.print(f"model-factory: {message}", markup=False, soft_wrap=True)
    sys.exit(code)
