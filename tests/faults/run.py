"""`make faults`: the machines for as many steps as one likes, with rates, and the shortest story of a broken promise."""

import argparse
import math
import random
import sys
import time

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import get_state_machine_test

from .cleanups import Cleanups
from .deliveries import Deliveries
from .deployments import Deployments
from .promises import Broken
from .removals import Removals
from .simulation.functions import TRIED
from .trainings import Trainings
from .trials import Trials

MACHINES = {
    "deployments": Deployments,
    "trainings": Trainings,
    "removals": Removals,
    "deliveries": Deliveries,
    "cleanups": Cleanups,
    "trials": Trials,
}
EXAMPLES, STEPS_IN_ONE = 100, 40


def try_out(machine, examples, number, *, shrink=True):
    """Run a machine in so many examples, generated from a seed. Raises Broken, with `shrink` with the shortest story found."""
    test = get_state_machine_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS_IN_ONE,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        ),
    )
    seed(number)(test)()


def run(machine, steps, number, *, limit=None, report=print, shrink=True):
    """Run a machine with seeds from `number` on until it has made `steps` steps.

    Raises Broken with the shortest story found, and TimeoutError after `limit` seconds of processor time.
    """
    began, first = time.process_time(), machine.steps
    while (done := machine.steps - first) < steps:
        try:
            try_out(machine, min(EXAMPLES, math.ceil((steps - done) / STEPS_IN_ONE) + 1), number, shrink=shrink)
        except Broken:
            report(f"{machine.__name__}: a promise is broken, seed {number}")
            raise
        number, done, seconds = number + 1, machine.steps - first, time.process_time() - began
        report(f"{machine.__name__}: {done} steps, {done / seconds:.0f} a second of processor time")
        if limit and seconds > limit and done < steps:
            raise TimeoutError(f"{machine.__name__}: {done} of {steps} steps in {seconds:.0f} s of processor time")


def main():
    """Run the machines; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500_000, help="of all machines together")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--machine", choices=MACHINES, action="append", help="default: every one")
    parser.add_argument("--only", action="append", help="check these promises only")
    arguments = parser.parse_args()
    machines = arguments.machine or list(MACHINES)
    print(f"{', '.join(machines)}: {arguments.steps} steps, seed {arguments.seed}")
    for name in machines:
        machine = MACHINES[name]
        if arguments.only:
            machine.wanted = tuple(arguments.only)
        try:
            run(machine, arguments.steps // len(machines), arguments.seed)
        except Broken as broken:
            print(f"\n{broken}")
            return 1
    for (function, fault), number in sorted(TRIED.items()):
        print(f"{number:8} {function}: {fault}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
