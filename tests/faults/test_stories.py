"""Stories of broken promises that the machines found, so that each is told again in every run."""

from .deployments import Deployments, decide, delete_endpoint


def test_deletion_before_same_version_is_created_again_is_told():
    machine = Deployments()
    machine.begin(live=True, acts=[0])
    decide(machine, 0)
    delete_endpoint(machine, 0)
    machine.the_bus_delivers(0, keep=False)
    machine.the_deletion_ends()
    machine.teardown()
