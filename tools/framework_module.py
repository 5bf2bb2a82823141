"""SAGEMAKER_SERVING_MODULE of AWS's serving toolkit: a WSGI application that calls the functions of the user's module.

The toolkit's gunicorn imports it in .venv-conformance; pytest does not. AWS's image has a module of its own, which is not on
PyPI and passes the user's functions to the toolkit's transformer in the same way.
"""

import importlib
import threading
from collections.abc import Callable
from typing import Any

from sagemaker_containers.beta.framework import env, transformer, worker

FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
_workers = []
_lock = threading.Lock()


def main(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """The WSGI application. The first request, which is SageMaker's ping, loads the model."""
    with _lock:
        if not _workers:
            module = importlib.import_module(env.ServingEnv().module_name)
            functions = {name: getattr(module, name) for name in FUNCTIONS if hasattr(module, name)}
            transforms = transformer.Transformer(**functions)
            transforms.initialize()
            _workers.append(worker.Worker(transform_fn=transforms.transform, module_name=module.__name__))
    return _workers[0](environ, start_response)
