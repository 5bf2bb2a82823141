"""Elements of the page, and its pictures, as the text that a browser gets."""

import re

import pytest

from jobs.drift.column import ColumnProfile
from jobs.drift.profile import Profile
from jobs.monitoring import columns_html, quality_html
from jobs.monitoring.html_elements import Html, clipped, element, facts, joined, listed, table


def test_texts_are_escaped_and_elements_are_not():
    assert element("p", "a < b", Html("<b>c</b>")) == "<p>a &lt; b<b>c</b></p>"
    assert element("td", class_="n", aria_label='"x"') == '<td class="n" aria-label="&quot;x&quot;"></td>'
    assert joined(["<", element("i")], ", ") == "&lt;, <i></i>"
    assert isinstance(joined([]), Html)


def test_facts_without_a_value_are_left_out():
    assert facts({"rows": "5", "joint": "", "drift": "none"}) == (
        "<dl><dt>rows</dt><dd>5</dd><dt>drift</dt><dd>none</dd></dl>"
    )


def test_table_names_rows_and_marks_numbers():
    assert table("T", ("name", "n"), [("a", "1"), ("b", "2")], numbers=(1,)) == (
        '<div class="wide" role="region" aria-label="T" tabindex="0"><table><thead><tr><th scope="col">name</th>'
        '<th scope="col" class="n">n</th></tr></thead><tbody><tr><th scope="row">a</th><td class="n">1</td></tr>'
        '<tr><th scope="row">b</th><td class="n">2</td></tr></tbody></table></div>'
    )


@pytest.mark.parametrize(("length", "expected"), [(60, "x" * 60), (61, "x" * 59 + "…")])
def test_text_of_more_than_sixty_characters_is_clipped(length, expected):
    assert clipped("x" * length) == expected


def test_list_says_how_many_are_left():
    assert listed([], 2) == ""
    assert listed(["a", "b"], 2) == "<ul><li>a</li><li>b</li></ul>"
    assert listed(["a", "b", "c"], 2) == "<ul><li>a</li><li>b</li><li>and 1 more, which report.json has</li></ul>"


def feature(name="age", **more):
    made = {
        "name": name, "effect": 0.25, "share": 0.125, "importance": 0.5, "weight": 0.125, "drifted": False,
        "reason": "no more than chance", "since": "", "meaning": "", "quantiles_before": [], "quantiles_now": [],
    }  # fmt: skip
    return made | more


def test_columns_are_ordered_by_drift_weight_and_effect():
    columns = [
        feature("effect", effect=0.5, weight=0.1),
        feature("small", effect=0.1, weight=0.1),
        feature("weight", weight=0.4),
        feature("drifted", weight=0.0, drifted=True),
    ]
    assert [each["name"] for each in columns_html.worst_first(columns)] == ["drifted", "weight", "effect", "small"]


def test_every_column_has_a_line_with_its_result():
    page = columns_html.every_column(
        [feature(drifted=True, reason="half of the rows moved"), feature("plan", importance=None)]
    )
    cells = re.findall("<t[dh][^>]*>(.*?)</t[dh]>", page.partition("<tbody>")[2])
    assert cells == [
        "age", "0.250", "12.5%", "50%", '<span class="bad">drifted: half of the rows moved</span>',
        "plan", "0.250", "12.5%", "-", "no more than chance",
    ]  # fmt: skip
    assert page.count('<th scope="col" class="n">') == 3


@pytest.mark.parametrize(("columns", "more"), [(300, ""), (301, "1 more, with smaller effects, are in report.json.")])
def test_first_300_columns_have_a_line(columns, more):
    page = columns_html.every_column([feature(f"c{number}") for number in range(columns)])
    assert page.count('<th scope="row">') == 300
    assert "".join(re.findall('<p class="note">(.*?)</p>', page)) == more


AGE = ColumnProfile("number", rows=100, edges=[1.0, 2.0], counts=[20, 40, 30], counted_nulls=10)
PLAN = ColumnProfile("string", rows=100, categories=["a", "b"], counts=[50, 50, 0])


@pytest.mark.parametrize(
    ("columns", "drifted", "shown", "note"),
    [
        (9, 0, 9, ""),
        (10, 0, 9, "The other 1 columns are in the next table."),
        (12, 11, 11, "The other 1 columns are in the next table."),
        (32, 32, 30, "The other 2 columns are in the next table."),
    ],
)
def test_columns_that_moved_most_have_a_distribution(columns, drifted, shown, note):
    features = [feature(f"c{number}", drifted=number < drifted, meaning="m") for number in range(columns)]
    profile = Profile(100, {each["name"]: AGE for each in features})
    page = columns_html.distributions(features, profile, profile)
    assert page.count("<section>") == page.count("<figure>") == shown
    assert "".join(re.findall(r"The other \d+ columns are in the next table\.", page)) == note


def test_drifted_column_has_cause_day_and_quantiles():
    drifted = feature(
        drifted=True, meaning="changed unit", since="2026-11-24", quantiles_before=[float(at) for at in range(11)],
        quantiles_now=[12.0 * at for at in range(11)],
    )  # fmt: skip
    assert columns_html._cause(drifted) == [
        '<p><span class="bad">changed unit</span>, since 2026-11-24</p>',
        "<p>10, 50 and 90 % quantiles: 1, 5, 9 in training, 12, 60, 108 now</p>",
    ]
    unknown = feature(drifted=True, reason="half moved", quantiles_before=[1.0])
    assert columns_html._cause(unknown) == ['<p><span class="bad">half moved</span></p>']
    assert columns_html._cause(feature()) == ['<p class="note">no more than chance</p>']


def test_numbers_are_drawn_as_bars_of_their_bins():
    """Four bins of 75 pixels: 31.5 of training and 31.5 of now, which begin after 33.75; the highest, of 80 %, has 72 pixels."""
    now = ColumnProfile("number", rows=100, edges=[1.0, 2.0], counts=[80, 0, 20])
    assert columns_html._chart("age", AGE, now) == (
        '<figure><svg viewBox="0 0 300 72" role="img" aria-label="Distribution of age, by range">'
        '<path class="before" d="M0.0 72v-18.0h31.5v18.0zM75.0 72v-36.0h31.5v36.0zM150.0 72v-27.0h31.5v27.0z'
        'M225.0 72v-9.0h31.5v9.0z"></path>'
        '<path class="now" d="M33.8 72v-72.0h31.5v72.0zM183.8 72v-18.0h31.5v18.0z"></path></svg>'
        "<figcaption>up to 1 … above 2, then missing; highest bar 80%</figcaption></figure>"
    )


def test_column_without_values_has_one_bin():
    one = ColumnProfile("number", rows=10, counts=[10])
    assert "<figcaption>any number, then missing; highest bar 100%</figcaption>" in columns_html._chart("x", one, one)
    empty = ColumnProfile("number", counts=[0])
    for before, now in ((one, empty), (empty, one)):
        assert columns_html._chart("x", before, now) == '<p class="note">no data</p>'


def test_texts_are_listed_with_their_shares_and_bars():
    now = ColumnProfile("string", rows=100, categories=["a", "b"], counts=[10, 65, 20], counted_nulls=5)
    page = columns_html._chart("plan", PLAN, now)
    cells = re.findall("<t[dh][^>]*>([^<]*)", page.partition("<tbody>")[2])
    assert cells == [
        "a", "50.0%", "10.0%", "", "(other)", "0.0%", "20.0%", "", "b", "50.0%", "65.0%", "", "(missing)", "0.0%", "5.0%", "",
    ]  # fmt: skip
    assert (
        '<svg width="80" height="16" aria-hidden="true"><rect class="before" y="0" width="61.5" height="7"/>'
        '<rect class="now" y="8" width="12.3" height="7"/></svg>'
    ) in page
    assert page.count('class="n"') == 2 + 2 * 4


def test_six_texts_that_changed_most_are_listed():
    names = [f"v{number}" for number in range(9)]
    moved = [0, -9, 18, -27, 39, -45, 54, -63, 33]
    before = ColumnProfile("string", rows=900, categories=names, counts=[*[100] * 9, 0])
    now = ColumnProfile("string", rows=900, categories=names, counts=[*[100 + each for each in moved], 0])
    page = columns_html._chart("plan", before, now)
    assert re.findall('<th scope="row">(.*?)</th>', page) == ["v7", "v6", "v5", "v4", "v8", "v3"]


def quality(**more):
    made = {
        "worse": False, "judged": True, "reason": "within the limit", "labels": 1_200, "duplicates": 20, "without_record": 3,
        "missing": 4, "sampled": False, "versions": [3, 2], "metric": "auc", "limit": 0.5, "at_gate": {"auc": 0.75},
        "metrics": {"auc": {"value": 0.8, "low": 0.7, "high": 1.0}, "f1": {"value": 0.5, "low": 0.5, "high": 0.5}},
    }  # fmt: skip
    return made | more


def test_quality_has_each_metric_beside_its_value_at_the_gate():
    page = quality_html.section(quality())
    assert page.startswith('<h2>Quality from labels</h2><p class="good">within the limit</p>')
    assert (
        '<p class="note">Versions judged: 3, 2. 1,200 labels: 20 further ones for the same record, 3 without a record, '
        "4 empty.</p>"
    ) in page
    cells = re.findall("<t[dh][^>]*>([^<]*)", page.partition("<tbody>")[2])
    assert cells == ["auc", "0.8000", "0.7000 to 1.0000", "0.7500", "", "f1", "0.5000", "0.5000 to 0.5000", "-", ""]
    assert page.count('<th scope="col" class="n">') == 3


def test_interval_is_drawn_between_its_marks():
    """From the limit 0.5 at 5 to the upper end 1 at 195; without a width the point is at 5."""
    page = quality_html.section(quality())
    assert (
        '<svg width="200" height="20" aria-hidden="true"><rect class="before" x="99.2" y="2" width="1.5" height="16"/>'
        '<rect class="before" x="4.2" y="2" width="1.5" height="16"/>'
        '<rect class="now" x="81.0" y="9" width="114.0" height="3"/><circle class="now" cx="119.0" cy="10.5" r="4"/></svg>'
    ) in page
    assert (
        '<rect class="now" x="5.0" y="9" width="1.0" height="3"/><circle class="now" cx="5.0" cy="10.5" r="4"/>'
    ) in page


def test_quality_that_is_worse_or_not_judged_is_marked():
    worse = quality_html.section(quality(worse=True, reason="misses the limit", sampled=True))
    assert '<p class="bad">misses the limit</p>' in worse
    assert worse.count('<span class="bad">') == 1, "the metric of the gate alone"
    assert '<span class="bad">0.8000</span>' in worse
    assert "4 empty; a sample of them was joined." in worse
    early = quality_html.section(quality(judged=False, labels=0, reason="there are no labels yet"))
    assert early == '<h2>Quality from labels</h2><p class="note">there are no labels yet</p>'
    few = quality_html.section(quality(judged=False, metrics={}, versions=[]))
    assert "Versions judged: none." in few
    assert "<table>" not in few
