"""Names of factories and models, as `init` and `new` take them."""

from typing import Any

from annotated_types import MaxLen
from pydantic import TypeAdapter, ValidationError

from ..project import UsageError


def check_name(name: str, kind: Any) -> None:
    """Raise UsageError unless `name` is valid for `kind`, a name type of config/fields.py."""
    try:
        TypeAdapter(kind).validate_python(name)
    except ValidationError:
        longest = next(each.max_length for each in kind.__metadata__[0].metadata if isinstance(each, MaxLen))
        raise UsageError(
            f"the name {name!r} is invalid: a letter, then lower-case letters, digits and single hyphens, at most {longest} "
            "characters"
        ) from None
