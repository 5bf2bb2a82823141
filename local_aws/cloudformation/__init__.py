"""CloudFormation resource types that moto does not create, or creates with a part of their properties only.

A type is one entry of a table: its service, and how it is created, updated and deleted through boto3.
"""

import sys
from types import ModuleType

from ..interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Extend moto's CloudFormation at its first use: it takes a second to import, and most tests need none."""

    def extend(_: ModuleType) -> None:
        from . import tables

        tables.install(local)

    local.when_imported("moto.cloudformation.responses", extend)

    def restarted() -> None:
        if "moto.cloudformation.responses" in sys.modules:
            from . import stack_failures

            stack_failures.restarted()

    local.stores.after_restart(restarted)
