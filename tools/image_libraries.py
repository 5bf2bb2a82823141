"""Writes image_libraries.json: Python, end of patch, libraries and modules of AWS's images, from the files that AWS publishes.

`python tools/image_libraries.py <clone of aws/deep-learning-containers>` reads the uv.lock and the dates of each image of
`LOCKS`, installs its libraries into a temporary folder with uv, and looks at the modules that they bring. Needs PyPI.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import yaml
from packaging.markers import Marker
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from model_factory.libraries.modules import top_level

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "constructs" / "model_factory" / "core" / "image_libraries.json"
INSTALLED = ROOT / "local_aws" / "sagemaker" / "containers" / "image_libraries.json"
"""What the embedded AWS, a package of its own, installs for a container of each image."""
FACTS = "docs/src/data/sagemaker-{}/{}-cpu-sagemaker.yml"
LOCKS = {
    "sagemaker-scikit-learn:1.9-0-cpu-py3": ("docker/sklearn/1.9-0/uv.lock", FACTS.format("scikit-learn", "1.9-0")),
    "sagemaker-xgboost:3.2-0": ("docker/xgboost/uv.lock", FACTS.format("xgboost", "3.2-0")),
}
"""Paths of the lock and of the page with the dates of support, by repository and tag.

The Dockerfiles install Python 3.12 on Amazon Linux 2023, which has glibc 2.34.
"""
SERVING_MODULES = {
    "sagemaker-scikit-learn": {"sagemaker_sklearn_container": "sagemaker-sklearn-container"},
    "sagemaker-xgboost": dict.fromkeys(
        ("sagemaker_algorithm_toolkit", "sagemaker_xgboost_container"), "sagemaker-xgboost-container"
    ),
}
"""AWS's own modules by repository: wheels that the images' builds make."""
ACCELERATORS = ("cuda-", "nvidia-")
"""Libraries of hundreds of megabytes, without which XGBoost runs on processors, as the embedded AWS does."""
PYTHON, PLATFORM = "3.12", "x86_64-manylinux_2_34"
SOURCES_ONLY = {
    "enum-compat": [],
    "inotify-simple": ["inotify_simple"],
    "model-archiver": ["model_archiver"],
    "multi-model-server": ["mms"],
    "retrying": ["retrying"],
    "sagemaker-containers": ["sagemaker_containers", "etc"],
    "sagemaker-inference": ["sagemaker_inference"],
    "sagemaker-training": ["sagemaker_training"],
    "typing": [],
}
"""Modules of libraries that PyPI has no wheel of. `typing` and `enum-compat` bring none on Python 3."""


def libraries(lock: str) -> dict[str, str]:
    """Version of each library that the lock installs on Linux, by name."""
    packages = {package["name"]: package for package in tomllib.loads(lock)["package"]}
    linux = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
    linux |= {
        "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.0",
        "platform_python_implementation": "CPython",
    }
    found: set[str] = set()
    waiting = [name for name, package in packages.items() if "registry" not in package["source"]]
    while waiting:
        name = waiting.pop()
        for dependency in packages[name].get("dependencies", []):
            marker = dependency.get("marker")
            if dependency["name"] not in found and (not marker or Marker(marker).evaluate(linux)):
                found.add(dependency["name"])
                waiting.append(dependency["name"])
    return {name: packages[name]["version"] for name in sorted(found)}


def modules(versions: dict[str, str]) -> dict[str, str]:
    """The library of each top-level module."""
    found = {module: name for name in versions for module in SOURCES_ONLY.get(name, [])}
    wheels = [f"{name}=={version}" for name, version in versions.items() if name not in SOURCES_ONLY]
    with tempfile.TemporaryDirectory() as folder:
        install = [
            find_uv_bin(),
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--target",
            folder,
        ]
        subprocess.run([*install, "--python-version", PYTHON, "--python-platform", PLATFORM, *wheels], check=True)
        for distribution in distributions(path=[folder]):
            name = canonicalize_name(distribution.name)
            found |= dict.fromkeys(top_level(map(str, distribution.files or [])), name)
    return found


def from_locks(clone: Path) -> dict[str, Any]:
    """The content of the file, by repository and tag."""
    images: dict[str, Any] = {}
    for image, (lock, facts) in LOCKS.items():
        found = libraries(_read(clone, lock))
        images[image] = {
            "python": PYTHON,
            "platform": PLATFORM,
            "end_of_patch": yaml.safe_load(_read(clone, facts))["eop"],
            "libraries": found,
            "modules": dict(sorted((modules(found) | SERVING_MODULES[image.partition(":")[0]]).items())),
        }
    return images


def _read(clone: Path, path: str) -> str:
    command = ["git", "-C", str(clone), "show", f"HEAD:{path}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def installed(content: dict[str, Any]) -> dict[str, Any]:
    """By image: its Python, and the version of each library that has a wheel and needs no accelerator."""
    return {
        image: {
            "python": each["python"],
            "libraries": {
                name: version
                for name, version in each["libraries"].items()
                if name not in SOURCES_ONLY and not name.startswith(ACCELERATORS)
            },
        }
        for image, each in content.items()
    }


if __name__ == "__main__":
    content = from_locks(Path(sys.argv[1]))
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    INSTALLED.write_text(json.dumps(installed(content), indent=1) + "\n", encoding="utf-8")
