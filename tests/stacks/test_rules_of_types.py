"""Every resource type of the templates is known to the embedded AWS with its constraints."""

import pytest

from local_aws.cloudformation.registry import constraints
from local_aws.rules import register
from tools import resource_types


def test_list_of_types_is_that_of_templates(templates):
    assert resource_types.listed() == resource_types.types_in(templates)


@pytest.mark.parametrize("resource_type", resource_types.listed())
def test_every_type_has_schema_and_rules(resource_type):
    assert constraints(resource_type) > 0
    assert any(resource_type in entry.operations for entry in register.ENTRIES)
