"""Whether equal inputs give an artifact with equal bytes on a machine with another number of threads or another processor."""

import copyreg
import io
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_BINNING = "sklearn.ensemble._hist_gradient_boosting.binning"

INDEPENDENT = (
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting",
    "sklearn.compose",
    "sklearn.dummy",
    "sklearn.impute._base",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.tree",
)
"""Modules whose estimators were compared on 1, 2 and 4 threads (tests/unit/jobs/test_reproducibility.py).

Each thread computes sums of its own there. Other estimators add up in the order in which threads end, or multiply matrices with
BLAS, which divides sums by the number of threads and chooses its code by the processor.
"""
_NEUTRAL = (
    "builtins",
    "collections",
    "copyreg",
    "datetime",
    "decimal",
    "functools",
    "numpy",
    "pandas",
    "scipy.sparse",
    "sklearn._loss",
)
"""Modules of values: what they hold was computed elsewhere.

Boosted trees with categories keep a partial function of functools.
"""
UNKNOWN = "unknown conditions"
"""What equal bytes need when the library decides it."""
_CYTHON = "_cython_"
"""Beginning of the module of compiled functions' type, whose name has Cython's version."""
THREAD_FIELDS = ("n_threads", "_n_threads")
"""Fields in which scikit-learn's estimators keep the number of threads of the machine; it has no influence on scores."""

_IDENTITY = ("model_guid", "train_finish_time")
"""Metadata of CatBoost's models that differ from training to training; scores do not depend on them."""


def leave_out_threads() -> None:
    """Pickle boosted trees without the number of threads of this machine, also in the user's own `save`.

    scikit-learn sets `_BinMapper.n_threads` at the fit, and reads None as all threads of the machine that serves.
    """
    if binning := sys.modules.get(_BINNING):
        copyreg.pickle(binning._BinMapper, _without_threads)


def leave_out_identity(fitted: Any) -> None:
    """Empty what names a training and not what it learned: the random id and the time that CatBoost writes into each model."""
    if catboost := sys.modules.get("catboost"):

        def clear(obj: Any) -> None:
            if isinstance(obj, catboost.CatBoost) and obj.is_fitted():
                metadata = obj.get_metadata()
                for name in _IDENTITY:
                    metadata[name] = ""

        with suppress(Exception):  # an object that only the user's own save(model, path) can write; describe says so
            _visit(fitted, clear)


def _without_threads(mapper: Any) -> Any:
    make, arguments, state, *rest = mapper.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
    return (make, arguments, {**state, "n_threads": None}, *rest)


def describe(fitted: Any, hosts: int = 1) -> dict[str, Any]:
    """What equal bytes need: {"same_bytes": "any threads" | "same threads and processor" | UNKNOWN, "reason"}.

    The answer is about the library's estimators in `fitted`; a train(…) with random numbers of its own is not examined. `hosts`:
    number of instances that trained it.
    """
    if hosts > 1:
        return {
            "same_bytes": UNKNOWN,
            "reason": f"{hosts} instances trained it, and its library decides in which order their sums are added up",
        }
    try:
        modules = _modules(fitted)
    except Exception as error:  # an object that only the user's own save(model, path) can write
        return _dependent(f"the model cannot be pickled ({type(error).__name__}), so it was not examined")
    others = sorted(name for name in modules if not _below(name, (*INDEPENDENT, *_NEUTRAL)))
    if others:
        return _dependent(f"{', '.join(others)} may compute sums in an order that depends on threads and processor")
    if not any(_below(name, INDEPENDENT) for name in modules):
        return _dependent("model.py returned no estimator that was examined for it")
    return {"same_bytes": "any threads", "reason": "each thread computes sums of its own"}


def _dependent(reason: str) -> dict[str, Any]:
    return {"same_bytes": "same threads and processor", "reason": reason}


def _below(module: str, parents: tuple[str, ...]) -> bool:
    return any(module == parent or module.startswith(f"{parent}.") for parent in parents)


def _modules(fitted: Any) -> set[str]:
    """Modules of the classes of all objects in `fitted`."""
    modules: set[str] = set()
    _visit(fitted, lambda obj: modules.add(obj.__module__ if isinstance(obj, type) else type(obj).__module__))
    return {name for name in modules if name and not name.startswith(_CYTHON)}


def _visit(fitted: Any, seen: Callable[[Any], None]) -> None:
    """Call a function with every object in `fitted`, each before those inside of it."""

    class Visitor(pickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            seen(obj)
            return NotImplemented

    # Arrays stay out of band, so that nothing is copied.
    Visitor(io.BytesIO(), pickle.HIGHEST_PROTOCOL, buffer_callback=lambda _: None).dump(fitted)
