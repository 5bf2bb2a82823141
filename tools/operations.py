"""Lists the API operations that Model Factory calls: `python -m tools.operations` writes tools/operations.txt.

Three sources: calls in the source of functions, jobs and commands; actions in the policies of the synthesized templates; and
runs on the embedded AWS, which counts requests (GET /_local/operations). Tests hold the list against the first two, the
end-to-end tests against what they called. Operations in the list that only a run found stay in it.
"""

import ast
import json
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tools" / "operations.txt"
SOURCES = ("lambda", "jobs", "ops", "constructs")
ACTIONS = {"lambda:InvokeFunction": "lambda:Invoke", "s3:ListBucket": "s3:ListObjectsV2"}
"""Actions whose operation has another name. (Those of encryption keys are of calls that services make.)"""
PREFIXES = {"states": "stepfunctions", "sagemaker": "sagemaker"}


def listed() -> set[str]:
    """The operations of the list, as `service:Operation`."""
    return set(LIST.read_text().split())


def called_in_source(folders: Iterable[Path]) -> set[str]:
    """Operations that Python files call on a client, or get a paginator or waiter for."""
    return {name for folder in folders for path in folder.rglob("*.py") for name in _calls(_nodes(path))}


def allowed_in(templates: Iterable[Mapping[str, Any]]) -> set[str]:
    """Operations that statements of the templates' policies allow."""
    return {name for template in templates for action in _actions(template) if (name := _of_action(action))}


def check_run(called: Iterable[str]) -> None:
    """Raise LookupError, with the lines to add, when a run called operations that are not in the list."""
    if unlisted := sorted(set(called) - listed()):
        raise LookupError(f"add to {LIST.relative_to(ROOT)}:\n" + "\n".join(unlisted))


def called_in_run(endpoint: str) -> set[str]:
    """Operations that an embedded AWS has served."""
    with urllib.request.urlopen(f"{endpoint}/_local/operations", timeout=30) as answer:  # noqa: S310 (local)
        return set(json.load(answer))


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


def _called(node: ast.Call) -> str:
    """The last part of the called function's name; empty for what has none."""
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def _calls(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute):
            yield from _named(node.attr)
        elif isinstance(node, ast.Call) and _called(node) in ("get_paginator", "get_waiter"):
            name = node.args[0] if node.args else None
            yield from _named(str(name.value)) if isinstance(name, ast.Constant) else ()


def _named(method: str) -> set[str]:
    """Operations of a method; of one that several services have, those in the list, unless none is."""
    found = _methods().get(method, set())
    if len(found) > 1:
        return found & listed() or found
    return found


@cache
def _methods() -> dict[str, set[str]]:
    """Operations by the name of their method and of the waiters that call them, of the services that sources name."""
    methods: dict[str, set[str]] = {}
    session = botocore.session.get_session()
    for service in sorted(_services()):
        for operation in session.get_service_model(service).operation_names:
            # Methods of one word, such as `search`, are those of other objects as well.
            if "_" in (method := xform_name(operation)):
                methods.setdefault(method, set()).add(f"{service}:{operation}")
        for name, waiter in _waiters(session, service).items():
            methods.setdefault(xform_name(name), set()).add(f"{service}:{waiter['operation']}")
    return methods


def _waiters(session: Any, service: str) -> dict[str, Any]:
    try:
        return session.get_waiter_model(service)._waiter_config
    except botocore.exceptions.DataNotFoundError:
        return {}


def _services() -> set[str]:
    """Services that a source names in `client("…")` or creates with boto3."""
    found = {"s3"}  # what a client is without a name, in jobs/s3.py
    known = set(botocore.session.get_session().get_available_services())
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            for node in _nodes(path):
                if isinstance(node, ast.Call) and _called(node).endswith("client") and node.args:
                    name = node.args[0]
                    found |= {name.value} & known if isinstance(name, ast.Constant) else set()
    return found


def _actions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("Effect") == "Allow" and "Principal" not in value:
            actions = value.get("Action", [])
            yield from [actions] if isinstance(actions, str) else actions
        for each in value.values():
            yield from _actions(each)
    elif isinstance(value, list):
        for each in value:
            yield from _actions(each)


@cache
def _of_action(action: str) -> str:
    """The operation of an action; empty for one with a wildcard or without an operation of its name."""
    action = ACTIONS.get(action, action)
    prefix, _, name = action.partition(":")
    session = botocore.session.get_session()
    service = PREFIXES.get(prefix, prefix)
    if service not in session.get_available_services():
        return ""
    return action if name in session.get_service_model(service).operation_names else ""


def main() -> None:
    """Add what sources, templates (folders as arguments) and running servers (URLs as arguments) call to the list."""
    found = called_in_source(ROOT / folder for folder in SOURCES)
    for argument in sys.argv[1:]:
        if argument.startswith("http"):
            found |= called_in_run(argument)
        else:
            found |= allowed_in(json.loads(path.read_text()) for path in Path(argument).rglob("*.template.json"))
    before = listed() if LIST.exists() else set()
    LIST.write_text("\n".join(sorted(before | found)) + "\n")
    print(f"{len(before | found)} operations, {len(found - before)} of them new")


if __name__ == "__main__":
    main()
