"""`model-factory upgrade`: change a repository's files for the installed version of the library."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from ..project import UsageError
from .init import DISTRIBUTION, TEMPLATES
from .migrations import MIGRATIONS, Migration, between, parse
from .stateful_changes import stateful_changes

REQUIREMENTS = "requirements.txt"
_PIN = re.compile(rf"^({re.escape(DISTRIBUTION)}(?:\[[a-z,]+\])?==)([0-9][0-9.]*)", re.MULTILINE)


def upgrade(
    root: Path, console: Console, *, diff: bool = True, migrations: tuple[Migration, ...] = MIGRATIONS
) -> list[str]:
    """Apply the migrations since the pinned version and print each change; then warn of replacements of stateful resources.

    Args:
        root: The repository.
        console: The console to print to.
        diff: Run `cdk diff`, which needs credentials of the environments. Default: true.
        migrations: The migrations of all releases. Default: the library's.

    Returns:
        A line for each change of a file.

    Raises:
        UsageError: requirements.txt pins no version, or a newer one than is installed.
    """
    pinned, installed = _pinned(root), version(DISTRIBUTION)
    if parse(pinned) > parse(installed):
        raise UsageError(
            f"{root / REQUIREMENTS} pins {pinned}, but {installed} is installed; run pip install -r {REQUIREMENTS} first"
        )
    console.print(f"{DISTRIBUTION} {pinned} -> {installed}")
    changes: list[str] = []
    by_hand: list[str] = []
    for migration in between(pinned, installed, migrations):
        if migration.apply is None:
            by_hand.append(migration.description)
        else:
            changes += [f"{location}: {migration.description}" for location in migration.apply(root)]
    changes += [*_add_feature_flags(root), *_pin(root, installed)]
    for change in changes or ["no file has to change"]:
        console.print(f"  {change}", markup=False, soft_wrap=True)
    for description in by_hand:
        console.print(f"  by hand: {description}", style="yellow", markup=False, soft_wrap=True)
    if diff:
        _warn_of_replacements(root, console)
    return changes


def _pinned(root: Path) -> str:
    path = root / REQUIREMENTS
    if not path.is_file():
        raise UsageError(
            f"{path.resolve()} does not exist; run this in a repository, or give its folder with --project"
        )
    match = _PIN.search(path.read_text(encoding="utf-8"))
    if not match:
        raise UsageError(
            f"{path} has no line {DISTRIBUTION}==<version>; write the version that the repository uses now"
        )
    return match[2]


def _pin(root: Path, installed: str) -> Iterator[str]:
    path = root / REQUIREMENTS
    before = path.read_text(encoding="utf-8")
    after = _PIN.sub(rf"\g<1>{installed}", before)
    if after != before:
        path.write_text(after, encoding="utf-8")
        yield f"{path}: pins {installed}"


def _add_feature_flags(root: Path) -> Iterator[str]:
    """Add the feature flags that are missing in cdk.json, with the library's values. Existing values are kept."""
    path = root / "cdk.json"
    recommended = json.loads((TEMPLATES / "cdk.json").read_text(encoding="utf-8"))["context"]
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; give the repository's folder with --project") from None
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    context = content.setdefault("context", {})
    missing = {flag: value for flag, value in recommended.items() if flag not in context}
    if missing:
        context.update(missing)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        for flag in missing:
            yield f"{path}: feature flag {flag}"


def _warn_of_replacements(root: Path, console: Console) -> None:
    try:
        changes = stateful_changes(root)
    except RuntimeError as error:
        console.print(f"cdk diff failed, so replacements are unknown:\n{error}", style="yellow", markup=False)
        return
    if not changes:
        console.print("cdk diff: no stateful resource is replaced or deleted")
    for change in changes:
        console.print(f"warning: {change}", style="bold red", markup=False, soft_wrap=True)
