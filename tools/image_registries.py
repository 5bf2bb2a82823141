"""Writes image_registries.json, the registries of AWS's scikit-learn image by region, from the SageMaker SDK.

The SDK is not a dependency of the library, because it installs pandas, scipy and mlflow. Run `python
tools/image_registries.py`. tests/unit/constructs/test_image.py compares the file with the installed SDK.
"""

import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "constructs" / "model_factory" / "core" / "image_registries.json"
VERSION = "1.9-0"


def from_sdk() -> dict[str, Any]:
    """The SDK's data of the image: `repository`, `version`, and the registry's account by region."""
    table = distribution("sagemaker-core").locate_file("sagemaker/core/image_uri_config/sklearn.json")
    image = json.loads(Path(str(table)).read_text(encoding="utf-8"))["training"]["versions"][VERSION]
    return {
        "repository": image["repository"],
        "version": VERSION,
        "registries": dict(sorted(image["registries"].items())),
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(from_sdk(), indent=1) + "\n", encoding="utf-8")
