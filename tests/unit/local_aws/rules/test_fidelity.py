"""The page of the rules is what the register has, and names every operation that is called."""

import pytest

from tools import fidelity, operations


@pytest.fixture(scope="module")
def page():
    return fidelity.PAGE.read_text()


def test_page_is_what_tool_writes(page):
    assert page == fidelity.page(), "run python -m tools.fidelity"


def test_page_has_every_operation_that_source_calls(page):
    called = operations.called_in_source(operations.ROOT / folder for folder in operations.SOURCES)
    assert called <= operations.listed(), "run python -m tools.operations"
    assert not [name for name in called if f"| `{name}` |" not in page]
