"""Removal policies: resources that a failed first deployment created are deleted, or the second would find their names taken."""

from aws_cdk import RemovalPolicy


def retained_after_creation(removal: RemovalPolicy) -> RemovalPolicy:
    """RETAIN as RETAIN_ON_UPDATE_OR_DELETE, CloudFormation's `RetainExceptOnCreate`; other policies as they are."""
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if removal == RemovalPolicy.RETAIN else removal
