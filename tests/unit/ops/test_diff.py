"""`model-factory diff`: two versions from their records and evidence, and what cannot be compared."""

import copy
import io
import json

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from model_factory.functions.shared import chain
from ops.diff import code, quality
from ops.diff.changes import Change, compare, neutral
from ops.diff.kept import find
from ops.diff.text import version_lines
from ops.diff.versions import Limits, compare_versions
from ops.project import Project

from .versions import SETTINGS, Chain, version_files


@pytest.fixture
def session(aws, project):
    return Project(project).environment("prod")


@pytest.fixture
def recorded(session):
    return Chain(session)


@pytest.fixture
def diff(run, project):
    """Runs the command for version 6 and another one; exit code, the sections of its JSON by title, and standard error."""

    def diff(other="churn@7", *options):
        exit_code, text, err = run("diff", "churn@6", other, "--project", str(project), "--json", *options)
        sections = {each["title"]: each for each in json.loads(text)["sections"]} if text else {}
        return exit_code, sections, err

    return diff


def changed(section):
    return {each["what"]: (each["before"], each["after"]) for each in section["changes"]}


def test_equal_versions_exit_with_zero(recorded, diff):
    for number in (6, 7):
        recorded.register(number, version_files())
    exit_code, sections, err = diff()
    assert (exit_code, err) == (0, "")
    assert not [title for title, each in sections.items() if each["differs"]]
    assert sections["predictions on the same rows"]["notes"] == ["both have the same artifact, so the same predictions"]


def test_each_part_that_differs_is_named(recorded, diff):
    settings = copy.deepcopy(SETTINGS)
    settings["training"]["hyperparameters"]["C"] = 0.5
    settings["data"]["schema"]["x"]["minimum"] = -9
    settings["gate"]["minimum"] = 0.8
    recorded.register(6, version_files())
    recorded.register(
        7,
        version_files(x=1.0, weight="x - 0.5", settings=settings, code="def train(): ...\n", libraries={"numpy": "0"}),
        image="scikit:2",
    )
    exit_code, sections, _ = diff()
    assert exit_code == 1
    assert {title for title, each in sections.items() if each["differs"]} == {
        "data",
        "distribution of the columns",
        "data contract",
        "hyperparameters",
        "configuration (model.yaml with defaults)",
        "code of the model",
        "run of the training",
        "libraries",
        "artifact",
        "predictions on the same rows",
    }
    assert changed(sections["hyperparameters"]) == {"C": (1.0, 0.5)}
    assert changed(sections["data contract"]) == {"schema.x.minimum": (None, -9)}
    assert changed(sections["libraries"])["numpy"][1] == "0"
    assert "-def train(): pass" in sections["code of the model"]["lines"]
    (column,) = sections["distribution of the columns"]["changes"]
    assert column["what"] == "x"
    assert column["note"].startswith("effect 0.7")


def test_predictions_on_same_rows_count_scores_and_flips(recorded, diff):
    recorded.register(6, version_files(x=0.5, weight="x"))
    recorded.register(7, version_files(x=0.5, weight="x - 0.5"))
    _, sections, _ = diff("churn@7", "--rows", "300")
    found = sections["predictions on the same rows"]
    assert found["scores"]["rows"] == found["scores"]["differing"] == 300
    (flip,) = found["flips"]
    assert (flip["from"], flip["to"], flip["rows"] > 20) == (1, 0, True)
    assert "auc" not in found["metrics"], "the order of the scores is the same"
    assert found["metrics"]["accuracy"]["low"] > 0
    assert next(each["note"] for each in found["changes"] if each["what"] == "accuracy").endswith(": better")


def test_version_that_cannot_score_rows_is_named(recorded, diff):
    recorded.register(6, version_files(weight="gone"))
    recorded.register(7, version_files())
    exit_code, sections, err = diff()
    assert exit_code == 2
    assert "v6 in prod cannot score these rows: NameError" in err
    assert sections["artifact"]["differs"], "the other parts are compared"


@pytest.mark.parametrize("fault", ["gone", "altered", "not kept"])
def test_piece_that_is_missing_or_altered_is_named_and_rest_compared(recorded, diff, fault):
    files = version_files()
    recorded.register(6, version_files(x=1.0))
    key = chain.evidence_key("churn", chain.digest(files["evaluation"]))
    if fault == "not kept":
        del files["evaluation"]
        recorded.register(7, files, missing={"evaluation": "it was too large"})
    else:
        files["evaluation"] += b" "
        key = chain.evidence_key("churn", chain.digest(files["evaluation"]))
        recorded.register(7, files)
        if fault == "gone":
            recorded.s3.delete_object(Bucket=recorded.bucket, Key=key)
        else:
            recorded.s3.put_object(Bucket=recorded.bucket, Key=key, Body=b"{}")
    exit_code, sections, err = diff("churn@7", "--rows", "0")
    said = {
        "gone": f"'evaluation' of v7 in prod is gone: s3://{recorded.bucket}/{key}",
        "altered": "'evaluation' of v7 in prod was altered: its SHA-256 is",
        "not kept": "'evaluation' of v7 in prod was not kept: it was too large",
    }[fault]
    assert (exit_code, said in err) == (2, True), err
    assert sections["data"]["differs"]


def test_altered_artifact_is_not_run(recorded, diff, tmp_path):
    recorded.register(6, version_files())
    files = version_files(weight="x * 2")
    recorded.register(7, files)
    evil = version_files(weight=f"open({str(tmp_path / 'ran')!r}, 'w').write('')")["artifact"]
    key = chain.evidence_key("churn", chain.digest(files["artifact"]))
    recorded.s3.put_object(Bucket=recorded.bucket, Key=key, Body=evil)
    exit_code, _, err = diff()
    assert (exit_code, "'artifact' of v7 in prod was altered" in err) == (2, True)
    assert not (tmp_path / "ran").exists()


def test_altered_record_of_registration_is_refused(recorded, diff):
    recorded.register(6, version_files())
    key = recorded.register(7, version_files())
    recorded.s3.put_object(Bucket=recorded.bucket, Key=key, Body=b"{}")
    exit_code, _, err = diff()
    assert (exit_code, f"the record of version 7 of churn in prod, {key}, is not what was written" in err) == (2, True)


def test_altered_record_of_decision_is_named(recorded, diff):
    for number in (6, 7):
        recorded.register(number, version_files())
    key = recorded.add("rejection", version=7, facts={"reason": "too slow"})
    recorded.s3.put_object(Bucket=recorded.bucket, Key=key, Body=b"{}")
    exit_code, _, err = diff()
    assert (exit_code, f"{key}, the decision on v7 in prod, is not what was written" in err) == (2, True)


def test_rejected_version_differs_from_approved_one(recorded, diff):
    for number in (6, 7):
        recorded.register(number, version_files())
    recorded.add("rejection", version=7, facts={"reason": "too slow"})
    exit_code, sections, _ = diff()
    assert exit_code == 1
    assert changed(sections["gate and approval"]) == {"approval": ("Approved", "Rejected")}


def test_decision_that_aws_refused_is_no_difference(recorded, diff):
    for number in (6, 7):
        recorded.register(number, version_files())
    recorded.add("rejection", version=7, id="a", facts={"decision": "Rejected", "reason": "too slow"})
    recorded.add("rejection", version=7, facts={"refused": "a", "what": "the approval status was not set"})
    assert diff()[0] == 0


def test_version_that_waits_again_is_not_rejected(recorded, diff):
    for number in (6, 7):
        recorded.register(number, version_files())
    recorded.add("rejection", version=7, facts={"decision": "PendingManualApproval", "reason": ""})
    assert changed(diff()[1]["gate and approval"]) == {"approval": ("Approved", "PendingManualApproval")}


@pytest.mark.parametrize("width", [80, 120])
def test_text_fits_width_and_loses_nothing(recorded, session, width):
    why = "manual: ada asked for it because of a complaint about the data of the last autumn"
    recorded.register(6, version_files())
    recorded.register(7, version_files(x=1.0, weight="x - 0.5", code="def train(): ...\n"), ModelPackageDescription=why)
    found = compare_versions(*(find(session, "churn", number) for number in (6, 7)), Limits(rows=0, full=False))
    console = Console(file=io.StringIO(), width=width)
    for line in version_lines(found):
        console.print(line)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any("last autumn" in line for line in lines)
    assert "the same: data contract; hyperparameters" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (("churn@6", "chrun@7"), "there is no model 'chrun'"),
        (("churn@6", "churn@9"), "there is no record of version 9 of churn in prod; the nearest are 6"),
        (("churn@6", "churn@prd/6"), "(did you mean 'prod'?)"),
        (("dev", "prd"), "there is no environment or model 'prd' (did you mean 'prod'?)"),
        (("churn@6", "chrn"), "(did you mean 'churn'?)"),
        (("churn@6", "prod"), "'prod' is an environment, and churn@6 a version"),
    ],
)
def test_unknown_names_get_nearest_ones(recorded, run, project, sides, said):
    recorded.register(6, version_files())
    exit_code, _, err = run("diff", *sides, "--project", str(project))
    assert (exit_code, said in err) == (2, True), err


def test_environment_that_is_not_deployed_is_named(aws, diff):
    exit_code, _, err = diff()
    assert (exit_code, "environment 'prod' has no bucket acme-prod-records-123456789012-eu-west-1" in err) == (2, True)


def test_file_that_may_not_be_read_names_permission(recorded, session):
    for number in (6, 7):
        recorded.register(number, version_files())
    message = "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: s3:GetObject"
    key = chain.evidence_key("churn", chain.digest(version_files()["evaluation"]))

    def refuse(params, **_):
        if params["Key"] == key:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetObject")

    session.client("s3").meta.events.register("before-parameter-build.s3.GetObject", refuse)
    found = compare_versions(*(find(session, "churn", number) for number in (6, 7)), Limits(rows=0, full=False))
    assert any("cannot be read: the role a of 1 (session b) needs s3:GetObject" in each for each in found.problems)
    assert not found.differs


def test_model_that_repository_no_longer_has_is_compared(session, run, project):
    gone = Chain(session, "gone")
    for number in (6, 7):
        gone.register(number, version_files())
    assert run("diff", "gone@6", "gone@7", "--project", str(project))[0] == 0


def test_lists_are_compared_by_names_of_elements():
    before = {"Steps": [{"Name": "Train", "Seed": 1}, {"Name": "Evaluate", "Seed": 1}]}
    after = {"Steps": [{"Name": "Evaluate", "Seed": 2}, {"Name": "Train", "Seed": 1}]}
    assert compare(before, after) == [Change("Steps.Evaluate.Seed", 1, 2)]
    assert compare({}, {"C": 0.5}) == [Change("C", None, 0.5)]
    assert compare({"a": {"b": 1}, "c": 2}, {"a": {"b": 2}, "c": 2}, ["a"]) == []


def test_names_of_environment_are_no_difference(session):
    dev, prod = session.project.environment("dev"), session
    role, key = "arn:aws:iam::{}:role/acme-{}-churn-train", "arn:aws:kms:eu-west-1:{}:key/{}"
    one = {
        "role": role.format("111111111111", "dev"),
        "key": key.format("111111111111", "1-2"),
        "subnet": "subnet-0a1b2c3d",
    }
    other = {
        "role": role.format("123456789012", "prod"),
        "key": key.format("123456789012", "9"),
        "subnet": "subnet-99999999",
    }
    assert neutral(dev)(one) == neutral(prod)(other)


def test_diff_of_code_is_bounded_and_leaves_out_library():
    before = {"project/model.py": b"a\n", "jobs/train.py": b"1\n", "project/icon": b"\xff"}
    after = {"project/model.py": b"b\n" * 100, "jobs/train.py": b"2\n", "project/icon": b"\xfe\xff"}
    own, library = code.compare(before, after, full=False)
    assert (len(own.lines), own.notes) == (
        code.LINES,
        ["44 more lines of the diff are not shown; --full shows all"],
    )
    assert [each.note for each in own.changes] == ["", "+100 -1 lines"]
    assert (library.lines, library.changes[0].what) == ([], "jobs/train.py")
    assert "+2" in code.compare(before, after, full=True)[1].lines


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.91, "+0.0100, within the intervals"),
        (0.96, "+0.0600, intervals overlap"),
        (1.1, "intervals apart"),
    ],
)
def test_difference_of_metric_says_whether_intervals_have_it(value, said):
    one, other = ({"auc": {"value": v, "low": v - 0.05, "high": v + 0.05}} for v in (0.9, value))
    (change,) = quality.metrics({"metrics": one}, {"metrics": other}, "auc").changes
    assert change.note.endswith(said)
