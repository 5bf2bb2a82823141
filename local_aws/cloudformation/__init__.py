"""CloudFormation resource types that moto does not create, or creates without what the template says of them.

A type is one entry of a table: its service and how it is created, updated and deleted through boto3.
"""

from typing import TYPE_CHECKING

from . import (
    change_sets,
    delivery,
    engine,
    lambdas,
    messaging,
    monitoring,
    network,
    no_value,
    rollback,
    sagemaker,
    storage,
    templates,
)

if TYPE_CHECKING:
    from ..server import LocalAws

TABLES = (storage, messaging, monitoring, sagemaker, lambdas, network, delivery)


def install(local: "LocalAws") -> None:
    """Register every type with moto's CloudFormation."""
    change_sets.install()
    no_value.install()
    templates.install()
    rollback.install()
    engine.install(local, [resource_type for table in TABLES for resource_type in table.TYPES])
