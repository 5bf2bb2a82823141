"""Code that several functions use, or a function and the command `model-factory`.

A function's zip has the function's own files at its root and this package beside them, so functions import
`from shared.clients import client`. The command imports the same files as `model_factory.functions.shared`; therefore
modules here import each other relatively. `approvals`, `clients`, `errors`, `promotion`, `records`, `s3` and `triggers` need
boto3 only and are what the command may import; `messages`, `queue` and `settings` need pydantic or Powertools and are for
functions.

Lambda puts the zip's root (/var/task) first on `sys.path`, before layers (/opt/python) and the runtime's own modules
(/var/runtime); neither the Python runtime nor the Powertools layer has a top-level module named `shared` or `handler`.
"""
