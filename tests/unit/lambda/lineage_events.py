"""Holds OpenLineage events against the classes of the package openlineage-python, which refuse unknown and missing members."""

import inspect

import attr
from openlineage.client import event_v2, facet_v2
from openlineage.client.generated import base

NESTED = {
    ("ParentRunFacet", "run"): facet_v2.parent_run.Run,
    ("ParentRunFacet", "job"): facet_v2.parent_run.Job,
    ("SymlinksDatasetFacet", "identifiers"): facet_v2.symlinks_dataset.Identifier,
    ("TagsRunFacet", "tags"): facet_v2.tags_run.TagsRunFacetFields,
    ("TagsDatasetFacet", "tags"): facet_v2.tags_dataset.TagsDatasetFacetFields,
    ("DataQualityMetricsInputDatasetFacet", "columnMetrics"): facet_v2.data_quality_metrics_input_dataset.ColumnMetrics,
}


def checked(event):
    """The event as the package's RunEvent. Raises TypeError and ValueError for what the specification has not."""
    members = {key: event[key] for key in ("eventTime", "eventType", "producer")}
    job, run = event["job"], event["run"]
    made = event_v2.RunEvent(
        **members | {"eventType": event_v2.RunState(event["eventType"])},
        run=event_v2.Run(run["runId"], facets(run["facets"], base.RunFacet)),
        job=event_v2.Job(job["namespace"], job["name"], facets(job["facets"], base.JobFacet)),
        inputs=[
            dataset(each, event_v2.InputDataset, "inputFacets", base.InputDatasetFacet) for each in event["inputs"]
        ],
        outputs=[
            dataset(each, event_v2.OutputDataset, "outputFacets", base.OutputDatasetFacet) for each in event["outputs"]
        ],
    )
    assert made.schemaURL == event["schemaURL"]
    assert set(event) == {*members, "run", "job", "inputs", "outputs", "schemaURL"}
    return made


def dataset(content, kind, measured, measured_base):
    more = {measured: facets(content[measured], measured_base)} if measured in content else {}
    assert set(content) <= {"namespace", "name", "facets", measured}
    return kind(content["namespace"], content["name"], facets=facets(content["facets"], base.DatasetFacet), **more)


def facets(contents, kind):
    """Facets by name; each is of the class whose schema it names, and that class is of `kind`."""
    made = {}
    for name, content in contents.items():
        class_ = CLASSES[content["_schemaURL"]]
        assert issubclass(class_, kind), f"{name} is no {kind.__name__}"
        members = {key: nested(class_, key, value) for key, value in content.items() if not key.startswith("_")}
        made[name] = class_(**members)
        assert content["_producer"]
    return made


def nested(class_, key, value):
    of = NESTED.get((class_.__name__, key))
    if of is None:
        return value
    if isinstance(value, list):
        return [of(**each) for each in value]
    return of(**value) if key in ("run", "job") else {name: of(**each) for name, each in value.items()}


CLASSES = {
    class_._get_schema(): class_
    for module in vars(facet_v2).values()
    if inspect.ismodule(module)
    for class_ in vars(module).values()
    if inspect.isclass(class_) and attr.has(class_) and issubclass(class_, base.BaseFacet)
}
