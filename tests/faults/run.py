"""`make faults`: the machines for as many steps as one likes, with rates, and the shortest story of a broken promise."""

import argparse
import random
import sys
import time

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import get_state_machine_test

from .deployments import Deployments
from .promises import Broken
from .trainings import Trainings

MACHINES = {"deployments": Deployments, "trainings": Trainings}
EXAMPLES, STEPS_IN_ONE = 100, 40


def try_out(machine, examples, number, steps_in_one=STEPS_IN_ONE):
    """Run a machine in so many examples, generated from a seed. Raises Broken with the shortest story found."""
    test = get_state_machine_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps_in_one,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
        ),
    )
    seed(number)(test)()


def run(machine, steps, number, report=print):
    """Run a machine with seeds from `number` on until it has made `steps` steps. Raises Broken with the shortest story found."""
    began, first = time.process_time(), machine.steps
    while (done := machine.steps - first) < steps:
        try:
            try_out(machine, EXAMPLES, number)
        except Broken:
            report(
                f"{machine.__name__}: a promise is broken, seed {number}, {machine.steps - first} steps with those of shrinking"
            )
            raise
        number, done = number + 1, machine.steps - first
        report(
            f"{machine.__name__}: {done} steps, {done / (time.process_time() - began):.0f} a second of processor time"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--machine", choices=MACHINES, action="append")
    parser.add_argument("--only", action="append", help="check these promises only")
    arguments = parser.parse_args()
    for name in arguments.machine or MACHINES:
        machine = MACHINES[name]
        if arguments.only:
            machine.wanted = tuple(arguments.only)
        try:
            run(machine, arguments.steps, arguments.seed)
        except Broken as broken:
            print(f"\n{broken}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
