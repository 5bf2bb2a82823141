"""Generated records of the throw-away model. Needs no packages, because the command runs without the extra `local`."""

import random
from dataclasses import dataclass

COLUMNS = ("x", "y", "colour")
LABEL = "sold"
COLOURS = ("red", "green", "blue")
DRIFT = 1.5
"""Shift of the mean of x, in its standard deviations; drift detection reports 0.07."""


@dataclass(frozen=True)
class Record:
    """One record. The label depends on x and on the colour, the same way whatever the distribution of x is."""

    x: float
    y: float
    colour: str
    sold: int

    @property
    def inputs(self) -> str:
        """The columns of a request, as a line of CSV."""
        return f"{self.x:.4f},{self.y:.4f},{self.colour}"


def records(rows: int, seed: int, shift: float = 0.0) -> list[Record]:
    """Records that are the same for the same `seed`. `shift` is added to the mean of x."""
    generator = random.Random(seed)  # noqa: S311 (data, not a secret)
    return [_record(generator, shift) for _ in range(rows)]


def labelled_csv(rows: list[Record]) -> str:
    """Training data: a CSV file with header."""
    lines = [",".join((*COLUMNS, LABEL)), *(f"{each.inputs},{each.sold}" for each in rows)]
    return "\n".join(lines) + "\n"


def broken_csv(rows: list[Record]) -> str:
    """Training data without the column `colour`."""
    lines = [f"x,y,{LABEL}", *(f"{each.x:.4f},{each.y:.4f},{each.sold}" for each in rows)]
    return "\n".join(lines) + "\n"


def request_csv(rows: list[Record]) -> str:
    """The body of a request: CSV without header and without label."""
    return "".join(f"{each.inputs}\n" for each in rows)


def _record(generator: random.Random, shift: float) -> Record:
    x, noise, colour = generator.gauss(shift, 1), generator.gauss(0, 1), generator.choice(COLOURS)
    return Record(x, noise, colour, int(x + (colour == "red") + noise / 2 > 0.5))
