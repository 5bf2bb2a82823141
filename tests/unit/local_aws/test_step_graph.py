"""Which steps of a pipeline wait for which, and what a selection of them runs and reuses."""

import pytest

from local_aws.step_graph import apart, graph, left_out, reused


def step(name, *before, **more):
    return {"Name": name, "Type": "Fail", "DependsOn": list(before), **more}


CONDITION = {"Conditions": [{"LeftValue": {"Get": "Steps.Evaluate.Score"}}], "IfSteps": [step("Register")]}
STEPS = [
    step("Prepare"),
    step("Train", Arguments={"a": [{"Std:Join": {"Values": [{"Get": "Steps.Prepare.X['a.b']"}]}}]}),
    step("Evaluate", "Train", Arguments={"a": {"Get": "Parameters.Train"}}),
    {"Name": "Gate", "Type": "Condition", "Arguments": CONDITION | {"ElseSteps": [step("Reject", "Prepare")]}},
]
GRAPH = graph(STEPS)
"""Of each step, those that it waits for."""


def test_graph_has_references_dependencies_and_branches():
    expected = {
        "Prepare": set(),
        "Train": {"Prepare"},
        "Evaluate": {"Train"},
        "Gate": {"Evaluate"},
        "Register": {"Gate"},
        "Reject": {"Gate", "Prepare"},
    }
    assert expected == graph(STEPS)


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        (["Prepare", "Train"], set()),
        (["Train", "Evaluate"], {"Prepare"}),
        (["Register"], {"Prepare", "Train", "Evaluate", "Gate"}),
    ],
)
def test_steps_before_the_selected_ones_are_reused(selected, expected):
    assert reused(GRAPH, selected) == expected


def test_steps_between_selected_ones_are_missing():
    assert left_out(GRAPH, ["Train", "Gate"]) == {"Evaluate"}
    assert left_out(GRAPH, ["Train", "Evaluate", "Gate"]) == set()


def test_selected_steps_are_connected_by_selected_steps():
    assert apart(GRAPH, ["Register", "Reject"]) == {"Reject"}
    assert apart(GRAPH, ["Register", "Gate", "Reject"]) == set()
