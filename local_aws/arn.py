"""ARNs in parts."""

from typing import NamedTuple


class Arn(NamedTuple):
    """`arn:aws:<service>:<region>:<account>:<resource>`; the resource may hold colons."""

    service: str
    region: str
    account: str
    resource: str


def parse_arn(arn: str) -> Arn:
    """The parts of an ARN. Raises ValueError for another text."""
    _, _, *parts = arn.split(":", 5)
    if len(parts) != 4:
        raise ValueError(f"{arn!r} is not an ARN")
    return Arn(*parts)
