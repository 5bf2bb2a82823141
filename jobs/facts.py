"""Facts of a run: what a job ran with. They lie beside its results, never in the artifact, which depends on its inputs alone.

docs/reference/contracts.md has the members of facts.json.
"""

import inspect
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from . import paths

FILE = "facts.json"


def of_run(job: str, seed: int) -> dict[str, Any]:
    """The facts of this process, to be taken at the end of a job, when all libraries are loaded.

    `job`: the command, such as "train". A fact that the container does not know is null.
    """
    pools = _thread_pools()
    return {
        "command": job,
        "job": _job(),
        "image": os.environ.get("IMAGE"),
        "instance": _instance_type(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "processors": _processors(),
        "threads": max((pool["threads"] for pool in pools), default=1),
        "thread_pools": pools,
        "seed": seed,
        "libraries": loaded_libraries(),
    }


def write(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write facts.json into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(facts, indent=1, sort_keys=True))


def loaded_libraries() -> dict[str, str]:
    """Version of each installed distribution that this process has imported a module of, by name."""
    loaded = {name.partition(".")[0] for name, module in list(sys.modules.items()) if module is not None}
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        if loaded & _top_level(distribution):
            described = distribution.metadata  # reads the file, with its description, each time
            found.setdefault(described["Name"], described["Version"])
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _top_level(distribution: metadata.Distribution) -> set[str]:
    """Names of a distribution's packages and modules.

    `metadata.packages_distributions` gives the same for all, and takes a second of processor time where 200 are installed.
    """
    if declared := (distribution.read_text("top_level.txt") or "").split():
        return set(declared)
    paths = {line.partition(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines()}
    return {first if below else inspect.getmodulename(first) or first for first, _, below in map(_split, paths)}


def _split(path: str) -> tuple[str, str, str]:
    return path.strip('"').partition("/")


def output_uri(name: str) -> str | None:
    """S3 URI of a processing job's output; None outside of SageMaker."""
    configured = _config("config/processingjobconfig.json").get("ProcessingOutputConfig") or {}
    outputs = {each["OutputName"]: each["S3Output"]["S3Uri"] for each in configured.get("Outputs") or []}
    return outputs.get(name)


def _job() -> dict[str, str | None]:
    """Name and ARN of the job.

    SageMaker Developer Guide, 'How Amazon SageMaker AI Provides Training Information' (environment variables) and 'How Amazon
    SageMaker Processing Configures Your Processing Container' (processingjobconfig.json).
    """
    configured = _config("config/processingjobconfig.json")
    return {
        "name": os.environ.get("TRAINING_JOB_NAME") or configured.get("ProcessingJobName"),
        "arn": os.environ.get("TRAINING_JOB_ARN") or configured.get("ProcessingJobArn"),
    }


def _instance_type() -> str | None:
    """A training job has it in resourceconfig.json, a processing job in processingjobconfig.json."""
    cluster = _config("config/processingjobconfig.json").get("ProcessingResources") or {}
    training = _config("input/config/resourceconfig.json").get("current_instance_type")
    return training or (cluster.get("ClusterConfig") or {}).get("InstanceType")


def _config(name: str) -> dict[str, Any]:
    path = paths.root() / name
    return json.loads(path.read_text()) if path.exists() else {}


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str | None:
    """The processor's model: libraries for linear algebra choose their code by it."""
    lines = Path("/proc/cpuinfo")
    found = (line for line in lines.read_text().splitlines() if line.startswith("model name")) if lines.exists() else ()
    return next((line.partition(":")[2].strip() for line in found), platform.processor() or None)


def _thread_pools() -> list[dict[str, Any]]:
    """Libraries with own threads: interface, version, number of threads and, for BLAS, the processor that they are for."""
    pools = [
        {
            "kind": pool["user_api"],
            "library": pool["internal_api"],
            "version": pool.get("version"),
            "architecture": pool.get("architecture"),
            "threads": pool["num_threads"],
        }
        for pool in threadpool_info()
    ]
    unique = {json.dumps(pool, sort_keys=True): pool for pool in pools}
    return [unique[key] for key in sorted(unique)]
