"""The bill of materials of a version: the libraries that its jobs had loaded, as CycloneDX 1.6 JSON.

The same facts give the same bytes, so that a repeated message keeps one file.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

SPECIFICATION = "1.6"
_NAMESPACE = uuid.UUID("5d0dbd1f-6f0f-4fd9-a2b3-5f2a4c6f7f65")
"""Of the serial numbers: one of our own, as RFC 9562 asks for version 5."""
FACTS = {"prepare_facts": "prepare", "train_facts": "train", "evaluate_facts": "evaluate"}


def bill_of_materials(
    facts: Mapping[str, Mapping[str, Any]], *, model: str, version: int, artifact: str | None, image: str, time: str
) -> dict[str, Any] | None:
    """The bill of materials; None where no job wrote facts, as of other pipelines.

    Args:
        facts: Content of the facts of jobs by their names in `evidence`.
        model: Name of the model.
        version: Its version.
        artifact: SHA-256 of model.tar.gz; None when it was not kept.
        image: URI of the container image, with the digest where SageMaker gives it.
        time: Time of the registration, ISO 8601.
    """
    libraries = _libraries(facts)
    if not libraries:
        return None
    reference = f"{model}@{version}"
    described: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": reference,
        "name": model,
        "version": str(version),
    }
    if artifact:
        described["hashes"] = [{"alg": "SHA-256", "content": artifact}]
    components = [_library(name, version, jobs) for (name, version), jobs in sorted(libraries.items())]
    python = next((str(each["python"]) for each in facts.values() if each.get("python")), None)
    interpreter = (
        [{"type": "platform", "bom-ref": f"python@{python}", "name": "python", "version": python}] if python else []
    )
    container = {"type": "container", "bom-ref": f"image:{image}", "name": image}
    everything = [container, *interpreter, *components]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPECIFICATION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{reference} {artifact} {time}')}",
        "version": 1,
        "metadata": {"timestamp": time, "component": described},
        "components": everything,
        "dependencies": [{"ref": reference, "dependsOn": [each["bom-ref"] for each in everything]}],
    }


def _libraries(facts: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Names of the jobs by name and version of a library: two jobs may have run in different images."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, job in FACTS.items():
        libraries: Any = facts.get(name, {}).get("libraries")
        for library, version in libraries.items() if isinstance(libraries, dict) else ():
            found.setdefault((str(library), str(version)), []).append(job)
    return found


def _library(name: str, version: str, jobs: list[str]) -> dict[str, Any]:
    # package-url specification, type pypi: lower case, and - for _ and .
    package = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version.replace('+', '%2B')}"
    return {
        "type": "library",
        "bom-ref": package,
        "name": name,
        "version": version,
        "purl": package,
        "properties": [{"name": "model-factory:loaded-by", "value": ", ".join(jobs)}],
    }
