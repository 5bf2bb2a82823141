"""Stories of broken promises that the machines found, so that each is told again in every run."""

from .deployments import FAILURE, Deployments, decide, delete_endpoint, redeploy, register
from .simulation.calls import KILLED_AFTER, Fault


def test_deletion_before_same_version_is_created_again_is_told():
    machine = Deployments()
    machine.begin(live=True, acts=[0])
    decide(machine, 0)
    delete_endpoint(machine, 0)
    machine.the_bus_delivers(0, keep=False)
    machine.the_deletion_ends()
    machine.teardown()


def test_failed_creation_before_deletion_is_told_and_recorded():
    machine = Deployments()
    machine.begin(live=False, acts=[0])
    register(machine, 0)
    machine.all_goes_on(2, None)
    machine.the_deployment_ends(FAILURE)
    delete_endpoint(machine, 0)
    machine.teardown()


def test_deleted_endpoint_that_exists_again_is_told_and_recorded():
    machine = Deployments()
    machine.begin(live=False, acts=[0])
    register(machine, 0)
    machine.all_goes_on(2, None)
    machine.the_deployment_ends(None)
    delete_endpoint(machine, 0)
    machine.the_deletion_ends()
    redeploy(machine, 0)
    machine.the_function_runs(None)
    machine.teardown()


def test_killed_message_creates_endpoint_that_was_deleted_meanwhile():
    machine = Deployments()
    machine.begin(live=False, acts=[0])
    register(machine, 0)
    machine.the_bus_delivers(0, keep=False)
    machine.the_function_runs(Fault(KILLED_AFTER, 9))
    machine.the_deployment_ends(FAILURE)
    delete_endpoint(machine, 0)
    machine.teardown()
    assert [each.repeats for each in machine.world.hosting.deployments] == [False, True]


def test_two_deletions_of_one_configuration_have_two_records():
    machine = Deployments()
    machine.begin(live=True, acts=[0])
    decide(machine, 0)
    delete_endpoint(machine, 0)
    machine.the_deletion_ends()
    machine.the_bus_delivers(0, keep=False)
    machine.the_function_runs(None)
    machine.the_deployment_ends(None)
    delete_endpoint(machine, 0)
    machine.the_deletion_ends()
    machine.teardown()
    assert len(machine.world.hosting.deleted) == 2
