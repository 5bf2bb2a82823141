"""The mutants of a file: each changes something, and the list of changes that no test can see excludes no others."""

import pytest

from tools import mutants

SOURCE = "if TYPE_CHECKING:\n    import pandas\nBOUND = 1e300\nSIZE = 7\n\n\ndef size(n):\n    return n + 7\n"


@pytest.fixture
def changes(tmp_path, monkeypatch):
    """The changes of SOURCE without those in EQUIVALENT."""
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    file = tmp_path / "jobs.py"
    file.write_text(SOURCE)

    def found(*equivalent):
        monkeypatch.setattr(mutants, "EQUIVALENT", {("jobs.py", each): "a reason" for each in equivalent})
        return [(each.line, each.change) for each in mutants.sample(file, 100, 0)]

    return found


def test_every_mutant_changes_something(changes):
    found = changes()
    assert {line for line, _ in found} == {3, 4, 8}, "none is in what only type checkers read"
    assert (3, "1e+300 -> 2e+300") in found
    assert all(before != after for before, after in (change.split(" -> ") for _, change in found))


def test_equivalent_change_is_left_out_everywhere_or_in_its_line(changes):
    both = [(4, "7 -> 8"), (8, "7 -> 8")]
    assert [each for each in changes() if each in both] == both
    assert [each for each in changes("7 -> 8") if each in both] == []
    assert [each for each in changes("SIZE = 7: 7 -> 8") if each in both] == [(8, "7 -> 8")]


def test_equivalent_change_that_is_none_is_named(changes):
    changes("SIZE = 7: 7 -> 8", "return n + 7: n + 7 -> n - 7", "SIZE = 7: 8 -> 9")
    assert mutants.unknown_equivalents() == ["jobs.py: SIZE = 7: 8 -> 9"]
