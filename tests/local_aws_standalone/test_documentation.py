"""Every Python example of docs/reference/embedded-aws.md runs as it is written there."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/reference/embedded-aws.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def examples():
    """(name of the test, the page's definitions). A block may use the imports of those before it."""
    namespace = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), namespace)
    return {name: value for name, value in namespace.items() if name.startswith("test_")}


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name, request, local_aws):
    example = EXAMPLES[name]
    parameters = example.__code__.co_varnames[: example.__code__.co_argcount]
    example(**{parameter: request.getfixturevalue(parameter) for parameter in parameters})


def test_page_has_examples():
    assert len(EXAMPLES) == len(BLOCKS) == 6
