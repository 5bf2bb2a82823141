"""The error of this package, and the hint for an unknown name."""

import difflib
from collections.abc import Iterable, Sequence


class DefinitionError(ValueError):
    """SageMaker would reject the pipeline definition.

    Args:
        mistakes: One sentence for each mistake.
    """

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: the most similar known name, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(names)}" if names else "there are none"
