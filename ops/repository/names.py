"""Names of factories and models, as `init` and `new` take them, and the folder of a new model."""

from pathlib import Path
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


def model_folder(root: Path, name: str) -> Path:
    """Create `models/<name>/`. Raises UsageError when it exists already, or `root` has no factory.yaml."""
    if not (root / "factory.yaml").is_file():
        raise UsageError(
            f"{root.resolve()} has no factory.yaml; run this in a repository, or give its folder with --project"
        )
    folder = root / "models" / name
    if folder.exists():
        raise UsageError(f"{folder} exists already")
    folder.mkdir(parents=True)
    return folder
