"""Every test file runs in CI, and in one group; the runner reports groups that fail."""

import re
import sys
from pathlib import Path

import pytest

from tools import test_groups
from tools.test_groups import GROUPS, ROOT, Group, select

TESTS = ROOT / "tests"


def files():
    """Every test file, below tests/."""
    return sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))


def markers(groups, path):
    """The markers of the groups that run a file."""
    return sorted(group.marker for group in groups if group.has(path))


def test_every_file_is_in_one_group_of_ci():
    groups = select("all")
    wrong = [str(path) for path in files() if markers(groups, path) not in ([""], ["not permissions", "permissions"])]
    assert wrong == [], "name these files or their folders in GROUPS of tools/test_groups.py, once"


def test_every_path_of_groups_exists():
    assert [path for group in GROUPS for path in group.paths if not (TESTS / path).exists()] == []


def test_file_in_new_folder_is_in_no_group():
    assert markers(select("all"), Path("unit/ops/test_new.py")) == [""]
    assert markers(select("all"), Path("unit/new/test_new.py")) == []


def test_test_and_slow_run_every_group_in_full():
    assert {group.name for group in [*select("test"), *select("slow")]} == {group.name for group in GROUPS}
    for group in select("test"):
        assert "not slow" not in group.marker or group.name in {each.name for each in select("slow")}


def test_groups_with_slow_tests_have_a_quick_part():
    """Without one, `make test` would run slow tests, or with one it would be no quicker."""
    mark = re.compile(r"^(@|pytestmark = .*)pytest\.mark\.slow", re.MULTILINE)
    marked = {path for path in files() if mark.search((TESTS / path).read_text())}
    for group in GROUPS:
        assert bool(group.quick) == any(group.has(path) for path in marked if group.marker != "permissions"), group.name


def test_quick_part_leaves_slow_tests_out():
    (scenarios,) = (group for group in GROUPS if group.name == "e2e/scenarios")
    part = scenarios.quick_part()
    assert part.command == ["pytest", "--quiet", "tests/e2e", "-m", "not permissions and not slow"]
    assert part in select("test")
    assert scenarios in select("all")


def test_longest_group_starts_first():
    assert [group.seconds for group in select("all")] == sorted((g.seconds for g in select("all")), reverse=True)


def test_unknown_name_is_refused_with_those_that_exist(capsys):
    with pytest.raises(SystemExit):
        test_groups.main(["unti"])
    assert "no group 'unti'; there are lint, unit/lambda" in capsys.readouterr().err


def test_quick_leaves_slow_tests_of_named_groups_out(monkeypatch):
    ran = []
    monkeypatch.setattr(test_groups, "run_all", lambda groups: not ran.extend(groups))
    assert test_groups.main(["--quick", "e2e", "unit/faults"]) == 0
    assert [(group.name, group.marker) for group in ran] == [
        ("e2e/scenarios", "not permissions and not slow"),
        ("unit/faults", ""),
    ]


def test_make_has_a_target_for_every_part():
    targets = re.findall(r"^([\w-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {group.name.partition("/")[0] for group in GROUPS} <= set(targets)


@pytest.fixture
def fake(monkeypatch):
    """Groups that run lines of Python: the name of each is its code."""
    monkeypatch.setattr(Group, "command", property(lambda group: [sys.executable, "-c", group.name]))
    return lambda *codes: [Group(code, 1) for code in codes]


def test_failed_groups_are_named_in_the_last_line(fake, capsys):
    assert not test_groups.run_all(fake("print('3 passed in 1.00s')", "print('1 failed'); exit(1)"))
    *_, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"1 of 2 groups FAILED \(\d+ s, \d+ s of processor time\): print\('1 failed'\); exit\(1\)", last
    )


def test_output_of_every_group_is_printed(fake, capsys):
    assert test_groups.run_all(fake("print('3 passed in 1.00s')", "import sys; sys.stderr.write('a warning')"))
    printed = capsys.readouterr().out
    assert "3 passed in 1.00s\n==== " in printed
    assert "a warning\n==== " in printed
    assert "every group passed: 2 in" in printed.splitlines()[-1]


def test_groups_have_one_thread_and_nothing_of_make(fake, monkeypatch, capsys):
    monkeypatch.setenv("MAKEFLAGS", "--jobserver-auth=3,4")
    test_groups.run_all(fake("import os; print(os.environ.get('MAKEFLAGS'), os.environ['OMP_NUM_THREADS'])"))
    assert capsys.readouterr().out.startswith("None 1\n")
