"""Names of factories and models, as `init` and `new` take them."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..project import UsageError


def check_name(name: str, kind: Any) -> None:
    """Raise UsageError unless `name` is valid for `kind`, a name type of config/fields.py."""
    adapter = TypeAdapter(kind)
    try:
        adapter.validate_python(name)
    except ValidationError:
        raise UsageError(
            f"the name {name!r} is invalid: a letter, then lower-case letters, digits and single hyphens, at most "
            f"{adapter.json_schema()['maxLength']} characters"
        ) from None
