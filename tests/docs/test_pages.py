"""Links of all pages lead somewhere, every block has a language that is checked, and pages stay in plain words."""

import re

import pytest

from tools.docs_pages import PAGES

from .pages import GENERATED, ROOT, anchors, blocks, fenced, indented_code, links, name, pages

LANGUAGES = {"shell", "yaml", "python", "text"}
"""Of fenced blocks; `text` is output and formats, which nothing checks."""


def broken(text: str, folder) -> list[str]:
    """Links of a page in `folder` to files or headings that do not exist."""
    found = []
    for line, target in links(text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (folder / path).resolve() if path else None
        if file and file.parent == GENERATED:
            if file.name not in PAGES:
                found.append(f"{line}: {target}")
            continue
        if (file and not file.exists()) or (anchor and anchor not in anchors(file.read_text() if file else text)):
            found.append(f"{line}: {target}")
    return found


@pytest.mark.parametrize("page", [*pages(), ROOT / ".github/pull_request_template.md"], ids=name)
def test_links_lead_somewhere(page):
    assert broken(page.read_text(), page.parent) == []


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_block_is_fenced_in_checked_language(page):
    text = page.read_text()
    assert {block.language for block in fenced(text, name(page))} <= LANGUAGES
    assert indented_code(text) == []


def test_trust_is_given_with_execution_policies():
    """The CDK's CLI refuses `--trust` alone on an account that has none."""
    commands = [line for each in blocks("shell") for line in each.text.splitlines() if "bootstrap" in line]
    trusting = [line for line in commands if "--trust" in line]
    assert len(trusting) >= 3
    assert all("--cloudformation-execution-policies" in line for line in trusting)


def test_navigation_has_every_page():
    navigation = (ROOT / "mkdocs.yml").read_text()
    parts = ("tutorial", "how-to", "reference", "explanation")
    written = [
        path.relative_to(ROOT / "docs").as_posix() for part in parts for path in (ROOT / "docs" / part).glob("*.md")
    ]
    assert [page for page in written if f"- {page}" not in navigation] == []


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_paths_to_pages_in_code_exist():
    folders = ("jobs", "lambda", "ops", "stacks", "constructs", "local_aws", "benchmarks", "tools")
    code = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = {(path, page) for path in code for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text())}
    assert [f"{name(path)}: {page}" for path, page in sorted(named) if not (ROOT / page).exists()] == []


def test_checker_finds_broken_links(tmp_path):
    (tmp_path / "there.md").write_text("# A heading, and more\n")
    text = "[a](there.md) [b](missing.md)\n[c](there.md#a-heading-and-more) [d](there.md#other) `[e](code.md)`\n"
    assert broken(text, tmp_path) == ["1: missing.md", "2: there.md#other"]


def test_checker_finds_indented_code():
    assert indented_code("Text\n\n    code\n\n- item\n\n    more of the item\n") == [3]


def test_tests_that_the_page_of_faults_names_exist():
    named = set(re.findall(r"\| (test_\w+) \|", (ROOT / "docs/reference/faults.md").read_text()))
    code = "".join(path.read_text() for path in (ROOT / "tests/e2e").glob("test_*.py"))
    assert named
    assert [each for each in sorted(named) if f"def {each}(" not in code] == []
