"""The mutants of a source file: each changes one place of its syntax tree."""

import ast
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT: dict[tuple[str, str], str] = {
    ("jobs/drift/arrays.py", "1024 -> 1025"): "the size of a cache",
    (
        "jobs/drift/decision.py",
        "1e-12 -> 1.000000000001",
    ): "the floor only prevents a division by zero: such bins deviate by 0",
    ("jobs/drift/decision.py", "1e-06 -> 1.000001"): "the order is the same where effects are compared",
    (
        "jobs/drift/decision.py",
        "for (_, column), is_significant in zip(decided, significant, strict=True):: True -> False",
    ): "there is a result for each p value",
    (
        "jobs/drift/sampling.py",
        "for keys, rows in zip(other._keys, other._rows, strict=True):: True -> False",
    ): "both lists grow together",
    ("jobs/drift/hypergeometric.py", "10 -> 11"): "the sum has more terms, and these are nothing beside the others",
    ("jobs/drift/hypergeometric.py", "100 -> 101"): "the sum has more terms, and these are nothing beside the others",
    ("jobs/drift/counting.py", "131072 -> 131073"): "how many rows are compared at a time",
    (
        "jobs/drift/history.py",
        "compare(name, reference.columns[name], one.columns[name]).p_value > CLEAR -> "
        "compare(name, reference.columns[name], one.columns[name]).p_value >= CLEAR",
    ): "no p value is exactly that",
    ("jobs/drift/joint.py", "-1e+301 -> +1e+301"): "no value of a column is either",
    ("jobs/drift/joint.py", "1e+301 -> 2e+301"): "no value of a column is either",
    (
        "jobs/drift/joint.py",
        "np.random.default_rng(seed).random(int(alike.max()) + 1) < 0.5 -> "
        "np.random.default_rng(seed).random(int(alike.max()) + 1) <= 0.5",
    ): "no random number is exactly that",
    ("jobs/drift/quality.py", "p_value > DUPLICATES_P -> p_value >= DUPLICATES_P"): "no p value is exactly that",
    ("jobs/drift/sampling.py", "1.0 -> 2.0"): "random keys are less than one",
    ("jobs/drift/sampling.py", "keys < self._bound -> keys <= self._bound"): "no two random keys are the same",
    ("jobs/drift/scan.py", "False -> True"): "threads and buffers of pyarrow, which reads the same",
    ("jobs/drift/scan.py", "2621440 -> 2621441"): "how much is read at a time",
    (
        "jobs/drift/scan.py",
        "CSV_BLOCK_BYTES, CSV_PARSED_BYTES = 4 << 20, 256 << 10: 4 -> 5",
    ): "how much is read at a time",
    (
        "jobs/drift/scan.py",
        "CSV_BLOCK_BYTES, CSV_PARSED_BYTES = 4 << 20, 256 << 10: 20 -> 21",
    ): "how much is read at a time",
    (
        "jobs/drift/scan.py",
        "CSV_BLOCK_BYTES, CSV_PARSED_BYTES = 4 << 20, 256 << 10: 256 -> 257",
    ): "how much is read at a time",
    (
        "jobs/drift/scan.py",
        "CSV_BLOCK_BYTES, CSV_PARSED_BYTES = 4 << 20, 256 << 10: 10 -> 11",
    ): "how much is read at a time",
    ("jobs/drift/scan.py", "PAGE_BYTES = 1 << 18: 1 -> 2"): "how much is read at a time",
    ("jobs/drift/scan.py", "PAGE_BYTES = 1 << 18: 18 -> 19"): "how much is read at a time",
    ("jobs/drift/scan.py", "os.cpu_count() or 1 -> os.cpu_count() and 1"): "a number of threads",
    (
        "jobs/drift/scan.py",
        "-workers // max(1, groups) -> -workers * max(1, groups)",
    ): "how the columns are shared among threads",
    ("jobs/drift/scan.py", "131072 -> 131073"): "how much is read at a time",
    (
        "jobs/evaluation/dependence.py",
        'scores = np.asarray(score(table), dtype="float64").reshape(len(points), len(rows), -1).mean(axis=1): 1 -> 2',
    ): "numpy takes any negative number for the length that is left",
    (
        "jobs/evaluation/importance.py",
        "sign = 1 if metric in LESS_IS_BETTER else -1: 1 -> 2",
    ): "only the shares of the losses are kept",
    (
        "jobs/evaluation/importance.py",
        "yield from zip(block, np.split(scores, len(block)), strict=True): True -> False",
    ): "split gives as many parts",
    (
        "lambda/bucket_cleanup/emptying.py",
        'errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors", []): True -> False',
    ): "what S3 says of deleted versions, which nobody reads",
    ("lambda/delivery/failed_build.py", "return '' -> return None"): "no text, in both",
    (
        "lambda/delivery/progress.py",
        "return [name for name in next_models if now - requested.get(name, 0) > REQUEST_INTERVAL_SECONDS]: 0 -> 1",
    ): "both are in 1970",
    (
        "lambda/deploy/messages.py",
        "name: str = Field(max_length=2048): 2048 -> 2049",
    ): "the names of a model's parameters are shorter, and others are refused",
    ("lambda/deploy/versions.py", "20 -> 21"): "how many versions are described at most",
    ("lambda/endpoint_cleanup/removal.py", "2.0 -> 3.0"): "how often it looks, which is another time in the tests",
    ("lambda/endpoint_cleanup/removal.py", "8 -> 9"): "a number of attempts of boto3",
    ("lambda/monitor/handler.py", "1 -> 2"): "how many approved versions are listed: one is enough",
    ("lambda/publisher/entities.py", "version > KEPT -> version >= KEPT"): "there is no version 0",
    ("lambda/publisher/handler.py", "return '' -> return None"): "no key, in both",
    ("lambda/recorder/lineage_markers.py", "16 -> 17"): "a number of threads",
    (
        "lambda/recorder/messages.py",
        "record.time > datetime.now(UTC) + FASTEST_CLOCK -> record.time >= datetime.now(UTC) + FASTEST_CLOCK",
    ): "one moment of the clock",
    ("lambda/recorder/messages.py", "return False -> return None"): "its only caller asks whether it is true",
    ("lambda/recorder/store.py", "time.monotonic() > end -> time.monotonic() >= end"): "one moment of the clock",
    ("lambda/shared/artifacts.py", "1 -> 2"): "how much is read at a time",
    ("lambda/shared/artifacts.py", "time.monotonic() > end -> time.monotonic() >= end"): "one moment of the clock",
    ("lambda/shared/s3.py", "1 -> 2"): "how many objects are listed: one is enough",
    ("lambda/shared/queue.py", "return False -> return None"): "its only caller negates it",
    ("lambda/retrain/decision.py", "return '' -> return None"): "no reason, in both",
    ("lambda/retrain/messages.py", "255 -> 256"): "the names of a model's alarms are shorter, and others are refused",
}
"""By file and change, why no test can see it. A change that others of the file look like has its line before it, and `: `."""

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
CALCULATED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of a file: where, what, the module's code with it, and whether it is inside a function."""

    file: str
    line: int
    change: str
    code: CodeType
    in_function: bool


def sample(file: Path, limit: int, seed: int) -> list[Mutant]:
    """At most `limit` mutants of a file without the equivalent ones, in the order of lines; the same for the same seed."""
    text = file.read_text()
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    ignored = _ignored(tree)
    places = [
        (index, number)
        for index, node in enumerate(nodes)
        if id(node) not in ignored
        for number, _ in enumerate(_changes(node))
    ]
    random.Random(f"{seed} {file.relative_to(ROOT)}").shuffle(places)  # noqa: S311 (no secret)
    chosen: list[Mutant] = []
    for index, number in places:
        mutant = _mutant(file, text, index, number)
        if not EQUIVALENT.keys() & _names(mutant, text):
            chosen.append(mutant)
        if len(chosen) == limit:
            break
    return sorted(chosen, key=lambda each: (each.line, each.change))


def unchanged(file: str) -> Mutant:
    """The mutant of a module that changes nothing, outside of functions."""
    return Mutant(file, 0, "", compile((ROOT / file).read_text(), str(ROOT / file), "exec"), in_function=False)


def unknown_equivalents() -> list[str]:
    """The entries of EQUIVALENT that fit no place of their file."""
    known: set[tuple[str, str]] = set()
    for name in {name for name, _ in EQUIVALENT}:
        text = (ROOT / name).read_text()
        for index, node in enumerate(list(ast.walk(ast.parse(text)))):
            for number, _ in enumerate(_changes(node)):
                known |= _names(_mutant(ROOT / name, text, index, number), text)
    return [f"{name}: {change}" for name, change in EQUIVALENT if (name, change) not in known]


def _names(mutant: Mutant, text: str) -> set[tuple[str, str]]:
    """How EQUIVALENT may name a mutant of a file with this text: by its change, alone or with its line."""
    line = text.splitlines()[mutant.line - 1].strip()
    return {(mutant.file, mutant.change), (mutant.file, f"{line}: {mutant.change}")}


def _mutant(file: Path, text: str, index: int, number: int) -> Mutant:
    tree = ast.parse(text)
    node = list(ast.walk(tree))[index]
    line = getattr(node, "lineno", 0)
    before = ast.unparse(node).splitlines()[0]
    list(_changes(node))[number]()
    after = (ast.unparse(node).splitlines() or ["pass"])[0]
    functions = (
        each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )
    bodies = (each.body if isinstance(each.body, list) else [each.body] for each in functions)
    in_function = any(inner is node for body in bodies for each in body for inner in ast.walk(each))
    code = compile(ast.fix_missing_locations(tree), str(file), "exec")
    return Mutant(str(file.relative_to(ROOT)), line, f"{before} -> {after}", code, in_function)


def _ignored(tree: ast.AST) -> set[int]:
    """Ids of the nodes that are no behaviour: `frozen` and `slots` of dataclasses, types, and lines of the log."""
    found: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.keyword) and node.arg in ("frozen", "slots"):
            parts = [node.value]
        elif isinstance(node, ast.AnnAssign | ast.arg):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [node.returns]
        elif isinstance(node, ast.TypeAlias) or _is_log_line(node) or _is_for_type_checkers(node):
            parts = [node]
        found |= {id(inner) for part in parts if part for inner in ast.walk(part)}
    return found


def _is_for_type_checkers(node: ast.AST) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`, whose imports only types need."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_log_line(node: ast.AST) -> bool:
    """Whether a statement only writes to the log, as `logger.info(…)`."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and isinstance(node.value.func.value, ast.Name)
        and node.value.func.value.id == "logger"
    )


def _changes(node: ast.AST) -> Iterator[Callable[[], object]]:
    """The changes of one node, as functions that make them in place."""
    match node:
        case ast.Compare(ops=[operator, *_]) if type(operator) in COMPARED:
            yield lambda: node.ops.__setitem__(0, COMPARED[type(operator)]())
        case ast.BoolOp():
            yield lambda: setattr(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.BinOp(right=ast.Constant(value=None)):
            pass  # a type
        case ast.BinOp(op=ast.BitOr()) if _is_type(node.right):
            pass  # a union, which fails as soon as it is something else
        case ast.BinOp() if type(node.op) in CALCULATED and not _is_text(node.left) and not _is_text(node.right):
            yield lambda: setattr(node, "op", CALCULATED[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield lambda: node.__dict__.update(op=ast.Not(), operand=ast.UnaryOp(ast.Not(), node.operand))
        case ast.UnaryOp(op=ast.USub()):
            yield lambda: setattr(node, "op", ast.UAdd())
        case ast.If() | ast.IfExp() | ast.While():
            yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
        case ast.Constant(value=bool()):
            yield lambda: setattr(node, "value", not node.value)
        case ast.Constant(value=int() | float() as value):
            # Of a large number, the sum with one may be the number itself.
            yield lambda: setattr(node, "value", value + 1 if value + 1 != value else value * 2)
        case ast.Return(value=ast.expr()) if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield lambda: setattr(node, "value", ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise():
            yield lambda: node.__dict__.update(_removed(node))
        case _:
            pass


def _removed(node: ast.AST) -> dict[str, object]:
    """A statement that does nothing, as the attributes of `node`."""
    node.__class__ = ast.Expr  # type: ignore[assignment]
    return {"value": ast.Constant(None)}


def _is_type(node: ast.AST) -> bool:
    """Whether an expression is a class by its name, such as `Draft` or `Annotated[Draft, …]`, and no constant."""
    named = node.value if isinstance(node, ast.Subscript) else node
    name = named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
    return name.lstrip("_")[:1].isupper() and not name.isupper()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
