"""OpenLineage datasets of a training: objects of raw data, what jobs write, and versions of the model.

Names follow OpenLineage's naming rules: namespace `s3://<bucket>` and the key for what is in S3. Resources of SageMaker have the
namespace `sagemaker://<region>.<account>`, for which there is no rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from records import Record
from run_events import (
    Dataset,
    Facets,
    data_quality,
    dataset_tags,
    dataset_type,
    dataset_version,
    input_statistics,
    output_statistics,
    symlinks,
)

LARGEST_LIST = 200
"""Objects that are datasets of their own. Of a longer manifest only the whole is named: receivers limit the size of an event."""


@dataclass(frozen=True)
class Files:
    """JSON files of a training, empty where there are none.

    Args:
        folder: URI of the execution's folder, without a slash at its end.
        manifest: manifest.json.
        statistics: statistics.json of the raw columns.
        evaluation: evaluation.json.
    """

    folder: str
    manifest: dict[str, Any] = field(default_factory=dict[str, Any])
    statistics: dict[str, Any] = field(default_factory=dict[str, Any])
    evaluation: dict[str, Any] = field(default_factory=dict[str, Any])


def sagemaker(arn: str) -> str:
    """Namespace of a resource of SageMaker, from its ARN."""
    *_, region, account, _ = arn.split(":")
    return f"sagemaker://{region}.{account}"


def folder(bucket: str, key: str) -> Dataset:
    """A folder of a bucket, without a slash at its end."""
    return Dataset(f"s3://{bucket}", key)


def model_version(package: str, record: Record | None = None, files: Files | None = None) -> Dataset:
    """A version of a model: a dataset called like its model package group, in this version.

    `record` and `files`: its registration, which adds location, size, digests and metrics. Default: the name and version alone.
    """
    group, _, number = package.partition(":model-package/")[2].partition("/")
    facets: Facets = {"version": dataset_version(number), "datasetType": dataset_type("MODEL")}
    if record is None:
        return Dataset(sagemaker(package), group, facets)
    containers: Sequence[Mapping[str, Any]] = record["facts"].get("InferenceSpecification", {}).get("Containers", [])
    if containers and str(containers[0].get("ModelDataUrl", "")).startswith("s3://"):
        bucket, _, key = containers[0]["ModelDataUrl"].removeprefix("s3://").partition("/")
        facets["symlinks"] = symlinks(f"s3://{bucket}", key, "FILE")
    metadata: Mapping[str, str] = record["facts"].get("CustomerMetadataProperties", {})
    names = ("artifact_digest", "content_digest", "data_digest")
    tags = {name: metadata[name] for name in names if name in metadata}
    facets["tags"] = dataset_tags(tags | _metrics(files.evaluation if files else {}))
    size = record.get("evidence", {}).get("artifact", {}).get("size")
    return Dataset(sagemaker(package), group, facets, {"outputStatistics": output_statistics(size)} if size else {})


def training_inputs(files: Files) -> list[Dataset]:
    """The raw data of a training: all of it as one dataset with its digest as version, and each object."""
    objects: list[Mapping[str, Any]] = files.manifest.get("objects", [])
    if not objects:
        return []
    first = objects[0]
    above, raw, _ = str(first["key"]).partition("/raw/")
    version = files.manifest.get("content_digest") or files.manifest.get("data_digest")
    whole = Dataset(
        f"s3://{first['bucket']}",
        f"{above}/raw" if raw else above.rpartition("/")[0],
        {"version": dataset_version(str(version))} if version else {},
        {
            "inputStatistics": input_statistics(_sum(objects, "rows"), _sum(objects, "size"), len(objects)),
            **_quality(files.statistics),
        },
    )
    return [whole, *(_object(each) for each in objects[:LARGEST_LIST] if len(objects) <= LARGEST_LIST)]


def step_datasets(step: str, files: Files) -> tuple[list[Dataset], list[Dataset]]:
    """Inputs and outputs of a step of the standard pipeline; none of other steps."""
    prepared, trained, evaluated = (_folder(files, part) for part in ("prepare", "train", "evaluation"))
    match step:
        case "Prepare":
            return training_inputs(files), [prepared]
        case "Train":
            return [prepared], [trained]
        case "Evaluate":
            return [prepared, trained], [evaluated]
        case _:
            return [], []


def _folder(files: Files, part: str) -> Dataset:
    bucket, _, key = files.folder.removeprefix("s3://").partition("/")
    return folder(bucket, f"{key}/{part}")


def _object(entry: Mapping[str, Any]) -> Dataset:
    facets = {"version": dataset_version(str(entry["version_id"]))} if entry.get("version_id") else {}
    measured = {"inputStatistics": input_statistics(entry.get("rows"), entry.get("size"), None)}
    return Dataset(f"s3://{entry['bucket']}", str(entry["key"]), facets, measured)


def _quality(statistics: Mapping[str, Any]) -> Facets:
    """Facet `dataQualityMetrics` from statistics.json in the format of SageMaker Model Monitor."""
    columns: dict[str, dict[str, Any]] = {}
    for each in statistics.get("features", []):
        measured: Mapping[str, Any] = each.get("numerical_statistics") or each.get("string_statistics") or {}
        common: Mapping[str, Any] = measured.get("common", {})
        distinct = measured.get("distinct_count")
        columns[each["name"]] = {
            "nullCount": common.get("num_missing"),
            "count": common.get("num_present"),
            "distinctCount": None if distinct is None else int(distinct),
            "sum": measured.get("sum"),
            "min": measured.get("min"),
            "max": measured.get("max"),
        }
    rows = statistics.get("dataset", {}).get("item_count")
    return {"dataQualityMetrics": data_quality(rows, columns)} if columns else {}


def _metrics(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """Metrics of the test rows as tags `metric.<name>`."""
    return {f"metric.{name}": str(each.get("value")) for name, each in sorted(evaluation.get("metrics", {}).items())}


def _sum(objects: Sequence[Mapping[str, Any]], name: str) -> int | None:
    values = [each.get(name) for each in objects]
    return sum(value for value in values if isinstance(value, int)) if all(values) else None
