"""A framework as its YAML file has it: texts, dates, sources and clauses."""

import difflib
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ..project import UsageError

FOLDER = Path(__file__).parent


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """A text that the clauses are from. `read`: what of it was read, and where, when it was not the text itself."""

    title: str
    url: str
    date: date
    read: str


class Clause(_Part):
    """A clause.

    Args:
        id: Its number in the framework.
        asks: What it asks for, in our own words.
        answer: Name of the function of answers.py that looks for the record. Default: records do not answer it.
        instead: Who or what answers it when records do not.
    """

    id: str
    asks: str
    answer: str | None = None
    instead: str = ""


class Framework(_Part):
    """A framework. `as_of`: when texts and dates were checked. `notes`: what holds for all of it, such as when it applies."""

    title: str
    as_of: date
    notes: tuple[str, ...]
    sources: tuple[Source, ...]
    clauses: tuple[Clause, ...] = Field(min_length=1)


def names() -> list[str]:
    """Names of the frameworks, which are those of their files."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Framework:
    """The framework called `name`. Raises UsageError with the nearest name when there is none."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise UsageError(f"there is no framework {name!r}{hint}; there are: {', '.join(names())}")
    return Framework.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))
