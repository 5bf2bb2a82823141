"""Every parameter of every exported class and function is documented, with its default when it has one."""

import inspect
import re

import pytest
from pydantic import BaseModel

import model_factory

# Fields of configuration files are documented by the JSON schemas; exceptions are caught, not created.
NO_ARGUMENTS = (BaseModel, Exception)
_ENTRY = re.compile(r"^    (\w+): (.*(?:\n      .*)*)", re.MULTILINE)


def documented(item) -> dict[str, str]:
    """The entries below `Args:` of a function, or of a class, its bases and their constructors."""
    classes = reversed(item.__mro__) if inspect.isclass(item) else [item]
    ours = [each for each in classes if (each.__module__ or "").startswith("model_factory")]
    entries: dict[str, str] = {}
    for each in ours:
        section = inspect.cleandoc(each.__doc__ or "").partition("Args:\n")[2]
        entries |= dict(_ENTRY.findall(re.split(r"^\S", section, maxsplit=1, flags=re.MULTILINE)[0]))
    return entries


def parameters(item) -> list[inspect.Parameter]:
    # jsii gives its classes a metaclass, whose signature a class itself would show.
    found = inspect.signature(item.__init__ if inspect.isclass(item) else item).parameters.values()
    return [each for each in found if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD) and each.name != "self"]


EXPORTS = [name for name in model_factory.__all__ if callable(getattr(model_factory, name))]
ITEMS = [
    name
    for name in EXPORTS
    if not (inspect.isclass(each := getattr(model_factory, name)) and issubclass(each, NO_ARGUMENTS))
]


@pytest.mark.parametrize("name", ITEMS)
def test_parameters_are_documented_with_their_defaults(name):
    item = getattr(model_factory, name)
    entries = documented(item)
    problems = [f"{each.name} is missing" for each in parameters(item) if each.name not in entries]
    problems += [
        f"{each.name} says no default"
        for each in parameters(item)
        if each.default is not inspect.Parameter.empty and "Default" not in entries.get(each.name, "Default")
    ]
    problems += [f"{entry} is no parameter" for entry in entries if entry not in {p.name for p in parameters(item)}]
    assert problems == []


@pytest.mark.parametrize("name", EXPORTS)
def test_public_methods_have_a_docstring(name):
    cls = getattr(model_factory, name)
    if not inspect.isclass(cls):
        return
    methods = {key: value for each in cls.__mro__[:-1] if each.__module__.startswith("model_factory")
               for key, value in vars(each).items() if not key.startswith("_")}  # fmt: skip
    functions = {
        key
        for key, value in methods.items()
        if inspect.isfunction(value) or isinstance(value, staticmethod | classmethod)
    }
    assert [key for key in functions if not inspect.getdoc(getattr(cls, key))] == []
