"""Text for fields of AWS that take one printable line."""

import re

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


def one_line(text: str, longest: int) -> str:
    """`text` with a space for each run of blanks and unprintable characters, at most `longest` characters."""
    return _UNPRINTABLE.sub(" ", text).strip()[:longest]
