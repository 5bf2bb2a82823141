"""Writes image_registries.json, the registries of AWS's images by framework and region, from the SageMaker SDK.

The SDK is not a dependency of the library, because it installs pandas, scipy and mlflow. Run `python
tools/image_registries.py`. tests/unit/constructs/test_image.py compares the file with the installed SDK.
"""

import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "constructs" / "model_factory" / "core" / "image_registries.json"
IMAGES = {"scikit-learn": ("sklearn", "1.9-0", "-cpu-py3"), "xgboost": ("xgboost", "3.2-0", "")}
"""The SDK's file, the version, and what follows it in the tag (`image_uris.retrieve`), by `training.framework`."""


def from_sdk() -> dict[str, Any]:
    """The SDK's data of each framework's image: `repository`, `tag`, and the registry's account by region."""
    found: dict[str, Any] = {}
    for framework, (name, version, suffix) in IMAGES.items():
        table = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{name}.json")
        image = json.loads(Path(str(table)).read_text(encoding="utf-8"))["training"]["versions"][version]
        registries = dict(sorted(image["registries"].items()))
        found[framework] = {"repository": image["repository"], "tag": version + suffix, "registries": registries}
    return found


if __name__ == "__main__":
    TARGET.write_text(json.dumps(from_sdk(), indent=1) + "\n", encoding="utf-8")
