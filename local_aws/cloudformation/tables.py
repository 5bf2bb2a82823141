"""Everything that the embedded AWS adds to moto's CloudFormation. Importing this imports all of moto's CloudFormation."""

from ..interfaces import EmbeddedAws
from . import (
    change_sets,
    changes,
    checks,
    delivery,
    drift,
    engine,
    events,
    exports,
    identity,
    lambdas,
    messaging,
    monitoring,
    network,
    no_value,
    operations,
    resources,
    sagemaker,
    stack_failures,
    storage,
    templates,
)

TABLES = (storage, messaging, monitoring, events, sagemaker, lambdas, identity, network, delivery)


def install(local: EmbeddedAws) -> None:
    """Replace parts of moto's CloudFormation and register the resource types of all tables."""
    for module in (change_sets, changes, no_value, templates, resources, operations, drift, exports):
        module.install(local)
    stack_failures.install(local)  # around the operations of the others
    engine.install(local, [resource_type for table in TABLES for resource_type in table.TYPES])
    checks.install(local)
