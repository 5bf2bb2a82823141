"""What the two arguments of `model-factory diff` name: environments, or versions of one model."""

import difflib
import re
from dataclasses import dataclass

from ..operations.reader import Reader
from ..project import EnvironmentSession, Project, UsageError
from ..references import known_model
from .kept import Kept, find

_VERSION = re.compile(r"(?:(?P<environment>[^/]*)/)?v?(?P<number>\d+)")


@dataclass(frozen=True)
class Reference:
    """A version of a model in an environment; `number` None: the one that is live there."""

    model: str
    session: EnvironmentSession
    number: int | None


def environments(project: Project, before: str, after: str) -> tuple[EnvironmentSession, EnvironmentSession] | None:
    """The two environments that the arguments name; None when they name versions. Raises UsageError."""
    names = [each.name for each in project.factory.environments]
    bare = [text for text in (before, after) if "@" not in text and text not in project.models]
    if len(bare) == 2:
        wrong = next((each for each in (before, after) if each not in names), None)
        if wrong:
            known = [*names, *project.models]
            near = difflib.get_close_matches(wrong, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise UsageError(f"there is no environment or model {wrong!r}{hint}; there are: {', '.join(known)}")
        return project.environment(before), project.environment(after)
    if len(bare) == 1:
        if bare[0] in names:
            other = after if bare[0] == before else before
            raise UsageError(f"{bare[0]!r} is an environment, and {other} a version: give two of one kind")
        project.model(bare[0])  # raises UsageError with the nearest name
    return None


def parse(project: Project, text: str, env: str | None) -> Reference:
    """`MODEL@7`, `MODEL@dev/7` and `MODEL@dev`, or `MODEL` for what is live; without an environment that of `env`.

    Raises UsageError with the nearest names.
    """
    model, _, rest = text.partition("@")
    found = _VERSION.fullmatch(rest)
    if found:
        environment, number = found["environment"] or env, int(found["number"])
    else:
        environment, number = rest or env, None
    session = project.environment(environment)
    known_model(session, model)
    return Reference(model, session, number)


def open_version(reference: Reference) -> Kept:
    """What is kept of the version. Raises UsageError when there is none, or none is live."""
    number = reference.number or Reader(reference.session, reference.model).live_version()
    if number is None:
        where = reference.session.environment.name
        raise UsageError(
            f"no version of {reference.model} is live in {where}; write {reference.model}@{where}/<version>"
        )
    return find(reference.session, reference.model, number)
