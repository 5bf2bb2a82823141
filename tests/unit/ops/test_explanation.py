"""`model-factory explain`: the version that answered, its score by the artifact's own code, contributions."""

import io
import json
import shutil
from datetime import timedelta
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier

from jobs.train import copy_code
from model_factory.functions.shared.chain import digest, evidence_key
from model_factory.ops.explanation import captures, text
from model_factory.ops.explanation.explain import _class, explain
from model_factory.ops.project import UsageError

from .explained import CODE, DAY, NAMES, NOW, ROOT, line, packed, score, training_rows


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """An artifact as the job train writes it, with boosted trees, and the model."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("artifact")
    (source / "project").mkdir()
    (source / "project" / "model.py").write_text(CODE)
    (source / "project" / "settings.json").write_text(json.dumps({"problem": "binary_classification"}))
    shutil.copytree(ROOT / "jobs", source / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    copy_code(target / "code", source)
    rows = training_rows()
    inputs = pd.DataFrame({"x": rows["x"], "xz": rows["x"] * rows["z"], "red": (rows["colour"] == "red") * 1.0})
    labels = (inputs["xz"].fillna(0) + inputs["red"] > 0.7) * 1
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(inputs, labels)
    joblib.dump(model, target / "model.joblib")
    return packed(target), model


def test_contributions_of_trees_add_up_and_score_is_equal(prod, trees):
    body, model = trees
    prod.register(8, body)
    prod.add_sample(8)
    row = pd.DataFrame({"x": [1.5], "xz": [-0.75], "red": [1.0]})
    expected = float(model.predict_proba(row)[0, 1])
    key = prod.capture(
        [line("other", "0,blue,1\n", "0.5\n", 6), line("order-7", "1.5,red,-0.5\n", f"{expected!r}\n", 8)]
    )
    found = explain(prod, "churn", captures.find(prod, "churn", "order-7", DAY))
    assert (found.version, found.attribution, found.key) == (8, "named by the captured answer", key)
    assert (found.score, found.distance, found.reproduced, found.label) == (expected, 0.0, True, 1)
    assert found.verified
    assert (found.method, found.background) == ("exact", 200)
    total = sum(each.contribution for each in found.columns)
    assert found.base is not None
    assert total == pytest.approx(found.score - found.base, abs=1e-6)
    assert {each.name: each.value for each in found.columns} == {"x": 1.5, "colour": "red", "z": -0.5}
    assert min(abs(each.contribution) for each in found.columns) > 0.001


def test_text_and_json_of_explanation(prod):
    expected = score(7, 1.5, 1, -0.5)
    prod.add_sample(7)
    prod.capture([line("order-7", "1.5,red,-0.5\n", f"{expected!r}\n", 7)])
    found = explain(prod, "churn", captures.find(prod, "churn", "order-7", DAY))
    shown = "\n".join(text.heading(found))
    assert "version 7, named by the captured answer" in shown
    assert f"score of 1 {expected:.6g}: computed again, equal to the captured answer" in shown
    assert len(found.lineage) == 3
    written = json.loads(text.as_json(found))
    assert (written["reproduced"], written["columns"][0]["name"]) == (True, found.columns[0].name)
    drawn = Console(width=100, file=io.StringIO(), record=True)
    drawn.print(text.table(found, columns=2))
    lines = drawn.export_text().splitlines()
    assert lines[1].startswith(found.columns[0].name)
    assert f"{found.columns[0].contribution:+.4f}" in lines[1]
    assert "█" in lines[1]
    assert lines[3].startswith("1 others")


def test_missing_value_and_chosen_record_of_several(prod, artifacts):
    scores = f"0.25\n{score(7, np.nan, 0, 1.0)!r}\n"
    prod.capture([line("pair", "0,blue,1\n,blue,1\n", scores, 7)])
    captured = captures.find(prod, "churn", "pair", DAY)
    with pytest.raises(UsageError, match="the request has 2 records; choose one with --record 0 to 1"):
        explain(prod, "churn", captured)
    found = explain(prod, "churn", captured, record=1)
    assert (found.distance, found.records) == (0.0, 2)
    first = explain(prod, "churn", captured, record=0)
    assert not first.reproduced
    assert "NOT the captured answer: 0.25 then" in "\n".join(text.heading(first))


def test_unnamed_answers_are_attributed_by_records_and_scores(prod, artifacts):
    hour = timedelta(hours=1)
    prod.deployed(6, NOW - 9 * hour, NOW - 8 * hour)
    prod.deployed(7, NOW - 3 * hour, NOW - hour, previous=6)
    of = {version: score(version, 1.5, 1, -0.5) for version in (6, 7)}
    assert of[6] != of[7]
    prod.capture(
        [
            line("before", "1.5,red,-0.5\n", f"{of[6]!r}\n", time=NOW - 5 * hour),
            line("by-six", "1.5,red,-0.5\n", f"{of[6]!r}\n"),
            line("by-seven", "1.5,red,-0.5\n", f"{of[7]!r}\n"),
            line("neither", "1.5,red,-0.5\n", "0.5\n"),
            line("after", "1.5,red,-0.5\n", f"{of[7]!r}\n", time=NOW - hour),
            line("early", "1.5,red,-0.5\n", "0.5\n", time=NOW - 10 * hour),
        ]
    )

    def attributed(name):
        found = explain(prod, "churn", captures.find(prod, "churn", name, DAY))
        return found.version, found.attribution.partition(" (")[0]

    assert attributed("before") == (6, "by the records of deployments")
    assert attributed("after") == (7, "by the records of deployments")
    assert attributed("by-six") == (6, "ambiguous by time")
    assert attributed("by-seven") == (7, "ambiguous by time")
    with pytest.raises(UsageError, match=r"ambiguous: versions 6 and 7 .* neither equal .*--version"):
        attributed("neither")
    with pytest.raises(UsageError, match="names no version, and no recorded deployment is before it; give --version"):
        attributed("early")


def test_rolled_back_deployment_leaves_version_before(prod, artifacts):
    prod.deployed(7, NOW - timedelta(hours=4), NOW - timedelta(hours=3), previous=6, outcome="rolled back")
    prod.capture([line("a", "1.5,red,-0.5\n", f"{score(6, 1.5, 1, -0.5)!r}\n")])
    found = explain(prod, "churn", captures.find(prod, "churn", "a", DAY))
    assert (found.version, found.distance) == (6, 0.0)


def test_changed_artifact_is_refused_and_evidence_preferred(prod, artifacts):
    prod.capture([line("a", "1.5,red,-0.5\n", "0.5\n", 7)])
    captured = captures.find(prod, "churn", "a", DAY)
    prod.put("artifacts", "churn/7/model.tar.gz", b"another file")
    with pytest.raises(
        UsageError, match=r"is not the artifact that version 7 was evaluated with.*its code was not run"
    ):
        explain(prod, "churn", captured)
    body = artifacts[7]
    prod.put("records", evidence_key("churn", digest(body)), body)
    assert explain(prod, "churn", captured).artifact.startswith(f"s3://{NAMES.bucket('records')}/churn/evidence/")


def test_deleted_artifact_and_version_are_named(prod):
    prod.capture([line("a", "1.5,red,-0.5\n", "0.5\n", 7), line("b", "1.5,red,-0.5\n", "0.5\n", 9)])
    prod.s3.delete_object(Bucket=NAMES.bucket("artifacts"), Key="churn/7/model.tar.gz")
    with pytest.raises(UsageError, match=r"the artifact of version 7 is gone: s3://.*/churn/7/model.tar.gz"):
        explain(prod, "churn", captures.find(prod, "churn", "a", DAY))
    with pytest.raises(UsageError, match="version 9 of churn is not in the registry of prod"):
        explain(prod, "churn", captures.find(prod, "churn", "b", DAY))


def test_version_without_sample_has_score_and_no_contributions(prod):
    prod.capture([line("a", "1.5,red,-0.5\n", "0.5\n", 7)])
    found = explain(prod, "churn", captures.find(prod, "churn", "a", DAY))
    assert (found.columns, found.why_no_columns) == (
        [],
        "version 7 was registered without a sample of training rows",
    )


def test_class_of_several_is_greatest_or_chosen():
    artifact = SimpleNamespace(serving={"classes": ["cat", "dog", "fish"]})
    scored = SimpleNamespace(artifact=artifact, scores=np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]]))
    assert _class(scored, 0, None) == (1, "dog")
    assert _class(scored, 1, "fish") == (2, "fish")
    with pytest.raises(UsageError, match="there is no class 'bird'; there are: cat, dog, fish"):
        _class(scored, 0, "bird")
