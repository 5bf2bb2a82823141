"""OpenLineage events as JSON: runs, jobs, datasets and their facets. Nothing here calls AWS.

The fields are those of the specification 2-0-2 and of the facets whose version each schema URL names (openlineage.io/spec).
Tests hold the events against the classes of the package openlineage-python, which is too large for a function: it brings
sixteen other packages.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PRODUCER = "urn:model-factory:publisher"
"""OpenLineage's `producer`, a URI: what wrote an event or a facet."""
_SPEC = "https://openlineage.io/spec"
_RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_RUNS = uuid.UUID("0f6f64b1-6b0b-5c55-9a3f-2f0d6f0d2a10")
"""Namespace of the ids of runs: the same resource of AWS has the same id in every event, and in every account."""

type Facets = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Dataset:
    """A dataset of a run.

    Args:
        namespace: Such as `s3://<bucket>`.
        name: Name within the namespace, such as a key.
        facets: Facets of the dataset.
        measured: Facets that belong to this run alone: `inputFacets` of an input, `outputFacets` of an output.
    """

    namespace: str
    name: str
    facets: Facets = field(default_factory=dict[str, dict[str, Any]])
    measured: Facets = field(default_factory=dict[str, dict[str, Any]])


@dataclass(frozen=True)
class Job:
    """A job: namespace `<factory>.<environment>`, and name."""

    namespace: str
    name: str
    facets: Facets = field(default_factory=dict[str, dict[str, Any]])


@dataclass(frozen=True)
class RunEvent:
    """One event. `kind`: START, COMPLETE, FAIL, ABORT or OTHER; `run`: the ARN or id that identifies the run."""

    kind: str
    time: datetime
    run: str
    job: Job
    facets: Facets = field(default_factory=dict[str, dict[str, Any]])
    inputs: Sequence[Dataset] = ()
    outputs: Sequence[Dataset] = ()

    @property
    def run_id(self) -> str:
        """The UUID of the run."""
        return run_id(self.run)

    def to_dict(self) -> dict[str, Any]:
        """The event as OpenLineage's JSON has it."""
        return {
            "eventType": self.kind,
            "eventTime": self.time.isoformat(),
            "producer": PRODUCER,
            "schemaURL": _RUN_EVENT,
            "run": {"runId": self.run_id, "facets": self.facets},
            "job": {"namespace": self.job.namespace, "name": self.job.name, "facets": self.job.facets},
            "inputs": [_dataset(each, "inputFacets") for each in self.inputs],
            "outputs": [_dataset(each, "outputFacets") for each in self.outputs],
        }


def run_id(name: str) -> str:
    """The UUID of the run that an ARN or another unique id names."""
    return str(uuid.uuid5(_RUNS, name))


def _dataset(dataset: Dataset, measured: str) -> dict[str, Any]:
    more = {measured: dataset.measured} if dataset.measured else {}
    return {"namespace": dataset.namespace, "name": dataset.name, "facets": dataset.facets} | more


def _facet(schema: str, **content: Any) -> dict[str, Any]:
    """A facet of the specification. `schema`: `<version>/<name>`; members that are None are left out."""
    name = schema.rpartition("/")[2]
    kept = {key: value for key, value in content.items() if value is not None}
    version = schema.partition("/")[0]
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}", **kept}


def parent(run: str, job: Job) -> dict[str, Any]:
    """Facet `parent` of a run that another run started."""
    return _facet(
        "1-2-0/ParentRunFacet", run={"runId": run_id(run)}, job={"namespace": job.namespace, "name": job.name}
    )


def nominal_time(start: str, end: str | None) -> dict[str, Any]:
    """Facet `nominalTime` of a run: its start and end, ISO 8601."""
    return _facet("1-0-1/NominalTimeRunFacet", nominalStartTime=start, nominalEndTime=end)


def error_message(message: str) -> dict[str, Any]:
    """Facet `errorMessage` of a run."""
    return _facet("1-0-1/ErrorMessageRunFacet", message=message, programmingLanguage="python")


def run_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """Facet `tags` of a run."""
    return _facet("1-0-0/TagsRunFacet", tags=_tags(tags))


def dataset_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """Facet `tags` of a dataset."""
    return _facet("1-0-0/TagsDatasetFacet", tags=_tags(tags))


def job_type(kind: str) -> dict[str, Any]:
    """Facet `jobType` of a job of SageMaker; `kind`: PIPELINE, JOB or DEPLOYMENT."""
    return _facet("2-0-4/JobTypeJobFacet", processingType="BATCH", integration="SAGEMAKER", jobType=kind)


def documentation(text: str) -> dict[str, Any]:
    """Facet `documentation` of a job."""
    return _facet("1-1-0/DocumentationJobFacet", description=text)


def source_code_location(repository: str, version: str) -> dict[str, Any]:
    """Facet `sourceCodeLocation` of a job: repository and commit."""
    return _facet("1-1-0/SourceCodeLocationJobFacet", type="git", url=repository, repoUrl=repository, version=version)


def dataset_version(version: str) -> dict[str, Any]:
    """Facet `version` of a dataset."""
    return _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=version)


def dataset_type(kind: str) -> dict[str, Any]:
    """Facet `datasetType` of a dataset, such as MODEL."""
    return _facet("1-0-1/DatasetTypeDatasetFacet", datasetType=kind)


def symlinks(namespace: str, name: str, kind: str) -> dict[str, Any]:
    """Facet `symlinks` of a dataset: another name of it."""
    return _facet("1-0-1/SymlinksDatasetFacet", identifiers=[{"namespace": namespace, "name": name, "type": kind}])


def input_statistics(rows: int | None, size: int | None, files: int | None) -> dict[str, Any]:
    """Facet `inputStatistics` of an input."""
    return _facet("1-0-0/InputStatisticsInputDatasetFacet", rowCount=rows, size=size, fileCount=files)


def output_statistics(size: int | None) -> dict[str, Any]:
    """Facet `outputStatistics` of an output."""
    return _facet("1-0-2/OutputStatisticsOutputDatasetFacet", size=size)


def data_quality(rows: int | None, columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Facet `dataQualityMetrics` of an input: rows, and by column nulls, count, sum, minimum and maximum."""
    metrics = {
        name: {key: value for key, value in column.items() if value is not None} for name, column in columns.items()
    }
    return _facet("1-0-3/DataQualityMetricsInputDatasetFacet", rowCount=rows, columnMetrics=metrics)


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value, "source": "MODEL-FACTORY"} for key, value in sorted(tags.items()) if value]
