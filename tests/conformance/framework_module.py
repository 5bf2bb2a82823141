"""What AWS's image gives its toolkit as SAGEMAKER_SERVING_MODULE: the user's module behind the toolkit's Flask application.

Imported in .venv-conformance by the toolkit's gunicorn, never by pytest. The image's own module is not on PyPI; all that
it adds to the toolkit is this wiring: which of the user's functions become the transformer's.
"""

import importlib
import threading

from sagemaker_containers.beta.framework import env, transformer, worker

FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
_made = []
_lock = threading.Lock()


def main(environ, start_response):
    """WSGI; a worker loads the model at its first request, which is SageMaker's ping."""
    with _lock:
        if not _made:
            module = importlib.import_module(env.ServingEnv().module_name)
            given = {name: getattr(module, name) for name in FUNCTIONS if hasattr(module, name)}
            transforms = transformer.Transformer(**given)
            transforms.initialize()
            _made.append(worker.Worker(transform_fn=transforms.transform, module_name=module.__name__))
    return _made[0](environ, start_response)
