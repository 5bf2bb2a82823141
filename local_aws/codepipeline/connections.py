"""Connections to GitHub, GitLab and Bitbucket: who may use one.

Source: Developer Tools console user guide, "Connections rename - Summary of changes": the service prefix of an ARN is that
of the permission, `codestar-connections` for connections made before July 2024, `codeconnections` for newer ones.
"""

from ..arn import parse_arn
from ..interfaces import Authorization


def use_connection(authorization: Authorization, role_arn: str, connection_arn: str) -> None:
    """Raise AccessDeniedError unless the role may use the connection."""
    service, region, _, _ = parse_arn(connection_arn)
    authorization.check(role_arn, f"{service}:UseConnection", connection_arn, region=region)
