"""Runs the job trial from the zip in the channel `code`. The image's own command `train` starts this file.

A tuning job takes no entry point for its training jobs, but the training toolkit of AWS's images runs a Python file that
hyperparameters name (docs/reference/contracts.md). This file is an asset of its own; it needs nothing but Python.
"""

import os
import sys
from pathlib import Path

code = Path(os.environ.get("FACTORY_ML_ROOT", "/opt/ml"), "input", "data", "code")
(program,) = code.glob("*.zip")
os.execv(sys.executable, [sys.executable, str(program), "trial"])  # noqa: S606 (no shell is wanted)
