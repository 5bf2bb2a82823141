"""The machines in `make test`: fixed seeds and 10,000 steps; `make faults` runs them for longer."""

import pytest

from .run import MACHINES, run

SEED = 13
STEPS = 10_000 // len(MACHINES) + 1
LIMIT_SECONDS = 60
"""Of processor time for one machine; on two idle cores it takes some eight."""


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_promises_hold_under_faults(machine):
    before = machine.steps
    run(machine, STEPS, SEED, limit=LIMIT_SECONDS)
    assert machine.steps - before >= STEPS
