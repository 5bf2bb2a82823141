"""`model-factory report`: one page with everything inside, whatever is known about a model."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from model_factory.config import ModelConfig
from ops.operations.facts import ModelFacts
from ops.operations.status import judge
from ops.report.charts import Charts
from ops.report.page import page
from ops.report.sources import ModelReport

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
VOID = {"meta", "br", "path", "use", "rect", "line", "stop"}
METRIC = {"value": 0.9, "low": 0.88, "high": 0.92, "standard_deviation": 0.01}


def package(number):
    return {
        "ModelPackageVersion": number,
        "ModelPackageArn": f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/{number}",
        "ModelApprovalStatus": "Approved",
        "ModelPackageDescription": "schedule: nightly; auc 0.9 on 400 test rows",
        "CreationTime": NOW - timedelta(days=5 - number),
        "CustomerMetadataProperties": {"metric": "auc", "metric_value": str(0.9 + number / 100), "trigger": "schedule"},
    }


def run(day, drifted=(), rows=500):
    features = [{"name": name, "effect": 0.02 * day, "drifted": name in drifted} for name in ("age", "plan")]
    return {
        "scheduled_time": f"2026-11-{day:02}T03:00:00+00:00",
        "rows": rows,
        "decided": rows > 200,
        "reason": f"{len(drifted)} of 2 columns drifted" if rows > 200 else "only 0 rows",
        "drifted": list(drifted),
        "features": features,
        "violations": [["plan", "a value <b>that</b> training data did not have"]] if drifted else [],
    }


@pytest.fixture
def report():
    config = ModelConfig.model_validate(
        {
            "name": "churn",
            "problem": "binary_classification",
            "data": {"label": "left"},
            "gate": {"metric": "auc", "minimum": 0.7},
            "report": {"groups": ["plan"], "intended_use": "To call customers."},
        }
    )
    facts = ModelFacts("prod", "churn", "acme-prod-churn", settings={"retrain": {}}, versions=[package(2), package(1)])
    champion = {"version": 1, "metrics": {"auc": METRIC}}
    documents = {
        "evaluation": {
            "gate": {"metric": "auc", "value": 0.9, "reason": "auc 0.9000; there is no live version yet"},
            "metrics": {"auc": METRIC, "brier": METRIC | {"value": 0.1}},
            "rows": 400,
            "champion": champion,
        },
        "importance": {"age": 0.8, "plan": 0.2},
        "explanation": {
            "calibration": {
                "error": 0.01,
                "bins": [
                    {"predicted": x, "observed": x, "low": x - 0.1, "high": x + 0.1, "rows": 200} for x in (0.2, 0.7)
                ],
            },
            "partial_dependence": {
                "age": {"values": [20, 40, 60], "scores": [[0.2, 0.3, 0.5]], "classes": []},
                "plan": {"values": ["a", "b"], "scores": [[0.2, 0.3]], "classes": []},
            },
            "slices": {
                "plan": [
                    {"group": "a", "rows": 390} | {"value": 0.9, "low": 0.88, "high": 0.92},
                    {"group": "b", "rows": 10, "reason": "fewer than 30 rows"},
                ]
            },
        },
        "report": {"rows": 2000, "partitions": ["dt=2026-11-01", "dt=2026-11-02"]},
        "columns": {"columns": [{"name": "age", "type": "integer", "minimum": 0, "nullable": False}], "label": "left"},
    }
    return ModelReport(
        status=judge(facts, NOW),
        config=config,
        settings={},
        endpoint_since=NOW - timedelta(hours=30),
        live=package(2),
        versions=[package(2), package(1)],
        documents=documents,
        runs=[run(1), run(2, ["age"])],
    )


class Outline(HTMLParser):
    """Checks that elements are closed in order; keeps ids, references, texts of headings and what is loaded."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.loaded, self.headings = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.references += [value[1:] for name, value in attrs if name.endswith("href") and value.startswith("#")]
        self.references += re.findall(r"url\(#([^)]+)\)", " ".join(value or "" for _, value in attrs))
        self.loaded += [
            value for name, value in attrs if name in ("src", "href", "xlink:href") and not value.startswith("#")
        ]
        if tag == "script":
            self.loaded.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)


def test_page_has_every_section_and_loads_nothing(report):
    text = page("acme", [report], NOW)
    outline = Outline(text)
    assert outline.headings == [
        "Models of acme", "At a glance", "churn in prod",
        "Versions", "Gate", "Drift", "Features", "Performance by group", "Data and lineage", "Use",
    ]  # fmt: skip
    assert not outline.open
    assert not outline.loaded
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", text)
    assert text.count("<svg ") == 4


def test_references_of_a_page_with_two_models_are_unique(report):
    other = replace(report, status=replace(report.status, model="sales"))
    outline = Outline(page("acme", [report, other], NOW))
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.references) <= set(outline.ids)


def test_lineage_is_a_list_of_steps_in_order(report):
    text = page("acme", [report], NOW)
    flow = re.search(r'<ol class="flow" aria-label="Lineage of prod-churn">(.*?)</ol>', text)[1]
    names = re.findall(r'<li><span class="note">(.*?)</span>', flow)
    assert names == ["data", "training", "gate", "version", "approval", "endpoint"]
    assert "2,000 rows of 2 partitions, dt=2026-11-01 to dt=2026-11-02" in flow


def test_changes_since_the_version_before_are_named(report):
    new, old = package(2), package(1)
    new["CustomerMetadataProperties"] |= {"data_digest": "b", "code_digest": "c", "seed": "1"}
    old["CustomerMetadataProperties"] |= {"data_digest": "a", "code_digest": "c", "seed": "1"}
    before = {"rows": 1500, "partitions": ["dt=2026-10-31", "dt=2026-11-01"]}
    documents = report.documents | {"report_before": before}
    text = page("acme", [replace(report, live=new, versions=[new, old], documents=documents)], NOW)
    assert (
        "Since v1: changed: data; the same: code, seed; 1,500 rows before, 2,000 now; 1 partition added; 1 partition left out."
    ) in text


@pytest.mark.parametrize(
    ("before", "text"), [({}, "changed: libraries"), ({"libraries_digest": "l"}, "the same: libraries")]
)
def test_libraries_are_compared_with_version_before(report, before, text):
    new, old = package(2), package(1)
    new["CustomerMetadataProperties"] |= {"libraries_digest": "l"}
    old["CustomerMetadataProperties"] |= before
    shown = page("acme", [replace(report, live=new, versions=[new, old])], NOW)
    assert text in shown
    assert "<dt>libraries</dt><dd>l</dd>" in shown


def test_runs_that_scored_files_are_listed(report):
    assert "Scored files" not in page("acme", [report], NOW)
    scored = {"time": "2026-11-25T04:00:00+00:00", "version": 2, "outcome": "scored", "rows": 4000, "objects": [{}, {}]}
    failed = scored | {"version": None, "outcome": "failed", "rows": 0, "objects": [], "reason": "no <version>"}
    text = page("acme", [replace(report, scorings=[failed, scored | {"reason": None}])], NOW)
    table = text[text.index("Scored files") :]
    assert all(each in table for each in ("2026-11-25 04:00 UTC", "v2", "4,000", "no &lt;version&gt;"))


def test_next_training_and_check_are_times(report):
    text = page("acme", [report], NOW)
    assert "2026-11-27 03:00 UTC" in text  # cron(0 3 * * ? *), the default
    late = replace(report, runs=[run(26) | {"scheduled_time": "2026-11-26T03:30:00+00:00"}])
    assert "2026-11-26 04:30 UTC" in page("acme", [late], NOW)  # rate(1 hour) after the last check


def test_every_column_of_a_table_has_a_title(report):
    assert '<th scope="col"></th>' not in page("acme", [report], NOW)


def test_texts_of_the_data_are_escaped(report):
    text = page("acme", [report], NOW)
    assert "a value &lt;b&gt;that&lt;/b&gt;" in text


def test_check_of_no_rows_is_not_called_good(report):
    text = page("acme", [replace(report, runs=[run(1, rows=0)])], NOW)
    assert "not decided: only 0 rows" in text


def test_model_without_anything_is_shown(report):
    empty = replace(
        report, live=None, versions=[], documents={}, runs=[], config=None, missing={"a": "s3://b/a does not exist"}
    )
    text = page("acme", [empty], NOW)
    assert "No version is registered yet." in text
    assert "Not shown: s3://b/a does not exist." in text


def test_numbers_beside_axes_keep_their_digits():
    chart = str(Charts().lines("auc", ["v1", "v2"], {"auc": [0.91234, 0.91238]}))
    assert "0.9123" in chart or "9.123" in chart


def test_factory_without_models_has_a_page():
    assert "No model is deployed." in page("acme", [], NOW)


def test_hundred_models_fit_in_three_megabytes(report):
    one, two = (len(page("acme", [report] * count, NOW).encode()) for count in (1, 2))
    assert one + 99 * (two - one) < 3_000_000
