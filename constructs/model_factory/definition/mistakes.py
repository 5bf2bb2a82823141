"""The one error of this package, and how a wrong name is told."""

import difflib
from collections.abc import Iterable, Sequence


class DefinitionError(ValueError):
    """A pipeline definition that SageMaker would refuse; `mistakes` holds all that is wrong, one sentence each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


def nearest(name: str, known: Iterable[str]) -> str:
    """How to go on after an unknown name: the nearest known one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(names)}" if names else "there are none"
