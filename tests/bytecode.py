"""Compiled modules for a fresh virtual environment: compiling the CDK, Moto and scikit-learn takes longer than its tests."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path


def share_bytecode(environment: Path) -> None:
    """Link what this environment has compiled into another one with the same packages.

    Python compares the time and size of the source that a compiled module names, and compiles another source itself.
    """
    own, other = Path(sysconfig.get_path("purelib")), next(environment.glob("lib/python*/site-packages"))
    for folder in own.rglob("__pycache__"):
        target = other / folder.relative_to(own)
        if not target.parent.is_dir():
            continue
        target.mkdir(exist_ok=True)
        for compiled in folder.glob(f"*.{sys.implementation.cache_tag}.pyc"):
            if (target / compiled.name).exists():
                continue
            try:
                os.link(compiled, target / compiled.name)
            except OSError:  # another file system
                shutil.copy2(compiled, target)
