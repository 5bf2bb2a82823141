"""Writes the file of `model-factory check-image`: the check, the jobs and an example model in one zip that Python runs."""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from model_factory.config import load_model
from model_factory.model.job_code import build_job_code
from model_factory.model.registration import SERVING_ENVIRONMENT

_HERE = Path(__file__).parent
_MAIN = "import sys\n\nfrom inside.check import main\n\nsys.exit(main())\n"


def build(target: Path) -> Path:
    """Write the zip; its path.

    Args:
        target: The file to write. Missing folders are created.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    example = _HERE / "example"
    with TemporaryDirectory() as temporary, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        code = build_job_code(load_model(example), project=example, target=Path(temporary) / "code.zip")
        archive.writestr("__main__.py", _MAIN)
        for path in sorted((_HERE / "inside").glob("*.py")):
            archive.write(path, f"inside/{path.name}")
        archive.write(code.path, "code.zip")
        archive.writestr("serving.txt", "".join(f"{name}={value}\n" for name, value in SERVING_ENVIRONMENT.items()))
    return target
