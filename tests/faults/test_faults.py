"""The machines in `make test`: a fixed seed, and as many steps as fit into some seconds (`make faults` runs them for longer)."""

import pytest

from .run import MACHINES, try_out

EXAMPLES = 165
STEPS = 5_000


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_promises_hold_under_faults(machine):
    before = machine.steps
    try_out(machine, EXAMPLES, number=13)
    assert machine.steps - before >= STEPS
