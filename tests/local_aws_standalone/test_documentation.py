"""Every Python example of docs/reference/embedded-aws.md and of the wheel's README runs as it is written there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/reference/embedded-aws.md", "local_aws/README.md")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def examples(page):
    """The test functions of a page by name. A block may use the imports of those before it."""
    namespace = {}
    for block in BLOCK.findall((ROOT / page).read_text()):
        exec(compile(block, page, "exec"), namespace)
    return {name: value for name, value in namespace.items() if name.startswith("test_")}


EXAMPLES = {name: example for page in PAGES for name, example in examples(page).items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name, request, local_aws):
    example = EXAMPLES[name]
    parameters = example.__code__.co_varnames[: example.__code__.co_argcount]
    example(**{parameter: request.getfixturevalue(parameter) for parameter in parameters})


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_an_example(page):
    assert 0 < len(BLOCK.findall((ROOT / page).read_text())) == len(examples(page))
