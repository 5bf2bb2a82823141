"""Why a version cannot be trained again."""

from ..project import UsageError


class CannotRebuild(UsageError):
    """Something that the version was made of is missing; the message names it, and what brings it back if anything does."""
