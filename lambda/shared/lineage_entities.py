"""SageMaker's lineage entities that are created by hand: how many an account has room for, and how many a model has."""

KEPT = 10
"""Newest versions, and newest deployments, of a model that have entities."""
QUOTAS = {"artifacts": 6000, "associations": 6000, "actions": 3000, "contexts": 500}
"""Most entities of an account and region (SageMaker developer guide, 'Manually Create Tracking Entities')."""


def most(models: int) -> dict[str, int]:
    """Most entities of this many models: of KEPT registered and KEPT other, deployed versions, and of KEPT deployments each.

    A version has an artifact for its manifest and one for its model package, and an association between them. A deployment has
    an action, and associations with the version and with the endpoint's context.
    """
    versions = 2 * KEPT
    of_one = {"artifacts": 2 * versions, "associations": versions + 2 * KEPT, "actions": KEPT, "contexts": 1}
    return {kind: number * models for kind, number in of_one.items()}
