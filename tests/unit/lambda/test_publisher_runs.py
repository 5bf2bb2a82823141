"""OpenLineage events from records alone: which runs there are, with which times, reasons and datasets."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

END = datetime(2026, 11, 25, 12, tzinfo=UTC)
BEGIN = END - timedelta(minutes=9)
SAGEMAKER = "arn:aws:sagemaker:eu-west-1:123456789012"
EXECUTION = f"{SAGEMAKER}:pipeline/acme-prod-churn-train/execution/4r8"
PACKAGE = f"{SAGEMAKER}:model-package/acme-prod-churn/2"


@pytest.fixture
def publisher(recorder_modules, modules):
    return SimpleNamespace(**modules("publisher", "runs", "datasets", "events", "run_events"))


def record(facts, subject=EXECUTION, **more):
    return {"id": "one", "model": "churn", "subject": subject, "time": END.isoformat(), "facts": facts} | more


def step(name="Train", **changes):
    times = {"started": BEGIN.isoformat(), "ended": END.isoformat()}
    return {"name": name, "status": "Succeeded", "arn": f"{SAGEMAKER}:job/{name}", **times} | changes


@pytest.fixture
def train(publisher):
    """The events of a training, by the end of the job's name and kind."""

    def train(outcome="succeeded", steps=(), **facts):
        files = publisher.datasets.Files(folder="s3://artifacts/churn/executions/4r8")
        events = list(publisher.runs.training(record({"outcome": outcome, "steps": list(steps), **facts}), files))
        return {(each.job.name.removeprefix("acme-prod-churn-train"), each.kind): each for each in events}

    return train


def message_of(event):
    return event.facets["errorMessage"]["message"]


def times_of(event):
    facet = event.facets["nominalTime"]
    return facet["nominalStartTime"], facet.get("nominalEndTime")


def test_run_of_training_has_its_times_and_trigger(train):
    events = train(started=BEGIN.isoformat(), trigger="drift", reason="psi 0.3", last_modified_by=None)
    begin, end = events["", "START"], events["", "COMPLETE"]
    assert (begin.time, end.time, begin.run, end.run) == (BEGIN, END, EXECUTION, EXECUTION)
    assert (times_of(begin), times_of(end)) == (
        (BEGIN.isoformat(), None),
        (BEGIN.isoformat(), END.isoformat()),
    )
    assert {tag["key"]: tag["value"] for tag in end.facets["tags"]["tags"]} == {"trigger": "drift", "reason": "psi 0.3"}
    assert "errorMessage" not in end.facets


def test_training_without_a_start_begins_at_its_end(train):
    assert train()["", "START"].time == END


@pytest.mark.parametrize(
    ("outcome", "kind", "reason", "message"),
    [
        ("failed", "FAIL", "no rows", "no rows"),
        ("failed", "FAIL", None, "The training was failed."),
        ("stopped", "ABORT", None, "The training was stopped."),
        ("lost", "OTHER", "", "The training was lost."),
    ],
)
def test_training_that_did_not_succeed_says_why(train, outcome, kind, reason, message):
    assert message_of(train(outcome, failure_reason=reason)["", kind]) == message


@pytest.mark.parametrize(
    ("name", "read", "written"),
    [
        ("Prepare", [], ["prepare"]),
        ("Train", ["prepare"], ["train"]),
        ("Evaluate", ["prepare", "train"], ["evaluation"]),
        ("Own", [], []),
    ],
)
def test_job_reads_what_the_job_before_it_wrote(train, name, read, written):
    events = train(steps=[step(name)])
    begin, end = events[f".{name}", "START"], events[f".{name}", "COMPLETE"]
    folder = "churn/executions/4r8/"
    for event in (begin, end):
        assert [each.name for each in event.inputs] == [folder + part for part in read]
        assert [each.name for each in event.outputs] == [folder + part for part in written]
        assert event.facets["parent"]["job"]["name"] == "acme-prod-churn-train"
    assert (begin.time, end.time, begin.run) == (BEGIN, END, f"{SAGEMAKER}:job/{name}")
    assert times_of(end) == (BEGIN.isoformat(), END.isoformat())
    assert "errorMessage" not in end.facets


@pytest.mark.parametrize("changes", [{"arn": None}, {"ended": None}, {"status": "Starting"}, {"arn": PACKAGE}])
def test_step_that_ran_no_job_has_no_run(train, changes):
    assert set(train(steps=[step(**changes)])) == {("", "START"), ("", "COMPLETE")}


def test_job_that_failed_says_why_and_one_that_never_started_has_its_end(train):
    events = train(
        "failed", [step(status="Failed", failure_reason="no rows", started=None), step("Own", status="Stopped")]
    )
    assert message_of(events[".Train", "FAIL"]) == "no rows"
    assert events[".Train", "START"].time == END
    assert message_of(events[".Own", "ABORT"]) == "The step is Stopped."


def test_training_has_the_version_that_it_registered(train):
    events = train(steps=[step("Register", arn=PACKAGE), step()])
    assert [each.name for each in events["", "COMPLETE"].outputs] == ["acme-prod-churn"]


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [("Executing", "START", None), ("Succeeded", "COMPLETE", None), ("Stopped", "ABORT", "The execution is Stopped.")],
)
def test_monitor_has_a_run_with_its_reports(publisher, status, kind, message):
    read, written = (publisher.datasets.folder("b", name) for name in ("churn/captured", "churn/monitor"))
    changed = publisher.events.ExecutionChanged("churn", "monitor", EXECUTION, status, BEGIN, END)
    event = publisher.runs.execution(changed, read, written)
    assert (event.kind, event.time, event.inputs, event.outputs) == (kind, END, [read], [written])
    assert times_of(event) == (BEGIN.isoformat(), None if kind == "START" else END.isoformat())
    assert event.facets.get("errorMessage", {}).get("message") == message
    assert event.job.facets["documentation"]["description"] == "Checks of the model churn"


@pytest.mark.parametrize(("status", "has_event"), [("Executing", True), ("Succeeded", False)])
def test_only_start_of_training_has_an_event_before_its_record(publisher, status, has_event):
    changed = publisher.events.ExecutionChanged("churn", "train", EXECUTION, status, BEGIN, END)
    event = publisher.runs.execution(changed, None, None)
    assert (event is not None) is has_event
    if event:
        assert (list(event.inputs), list(event.outputs)) == ([], [])
        assert event.job.facets["documentation"]["description"] == "Trainings of the model churn"


@pytest.mark.parametrize(
    ("repository", "commit", "has_code"), [("https://e/r", "4b8", True), ("https://e/r", "", False), ("", "4b8", False)]
)
def test_registration_names_code_whose_repository_and_commit_are_known(publisher, repository, commit, has_code):
    metadata = {"git_commit": commit, "pipeline_execution": EXECUTION, "seed": "7", "surprise": "x"}
    registered = record({"CustomerMetadataProperties": metadata}, PACKAGE, version=2)
    event = publisher.runs.registration(registered, publisher.datasets.Files(folder=""), repository)
    assert ("sourceCodeLocation" in event.job.facets) is has_code
    assert (event.run, event.job.name, event.kind) == (EXECUTION, "acme-prod-churn-train", "OTHER")
    tags = {tag["key"] for tag in event.facets["tags"]["tags"]}
    assert tags == {"model_package", "seed"} | ({"git_commit"} if commit else set())


def test_version_that_no_pipeline_trained_is_a_run_of_its_group(publisher):
    event = publisher.runs.registration(record({}, PACKAGE, version=2), publisher.datasets.Files(folder=""), "")
    assert (event.run, event.job.name) == (PACKAGE, "acme-prod-churn")


def deployed(publisher, outcome, reason=None, subject=PACKAGE):
    facts = {"endpoint": "e", "configuration": "c", "started": BEGIN.isoformat(), "outcome": outcome, "reason": reason}
    return list(publisher.runs.deployment(record(facts, subject, version=2)))


@pytest.mark.parametrize(
    ("outcome", "reason", "kind", "message"),
    [
        ("succeeded", None, "COMPLETE", None),
        ("rolled back", "alarm", "FAIL", "rolled back: alarm"),
        ("failed", None, "FAIL", "failed: no reason given"),
    ],
)
def test_deployment_has_start_and_end(publisher, outcome, reason, kind, message):
    begin, end = deployed(publisher, outcome, reason)
    assert (begin.kind, begin.time, end.kind, end.time) == ("START", BEGIN, kind, END)
    assert (times_of(begin), times_of(end)) == ((BEGIN.isoformat(), None), (BEGIN.isoformat(), END.isoformat()))
    assert end.facets.get("errorMessage", {}).get("message") == message
    assert [each.name for each in end.outputs] == ["endpoint/e"]


@pytest.mark.parametrize(("outcome", "subject"), [("deleted", PACKAGE), ("succeeded", None)])
def test_deployment_of_no_version_has_no_run(publisher, outcome, subject):
    assert deployed(publisher, outcome, subject=subject) == []
