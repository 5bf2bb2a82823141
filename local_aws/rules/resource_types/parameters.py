"""Parameters of Systems Manager."""

import re
from collections.abc import Callable
from functools import partial

from ..checks import longer_than, matching
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values

_PARAMETER = "Systems Manager API reference, PutParameter"
_parameter = partial(Rule, CLOUDFORMATION, "AWS::SSM::Parameter", code="ValidationException")


def _tier(limit: int, advanced: bool) -> Callable[[Request], bool]:
    def check(request: Request) -> bool:
        large = request.params.get("Tier") in ("Advanced", "Intelligent-Tiering")
        return large is advanced and len(str(request.params.get("Value")).encode()) > limit

    return check


def _levels(request: Request) -> bool:
    return str(request.params.get("Name")).count("/") > 15


def _reserved(request: Request) -> bool:
    return str(request.params.get("Name", "a")).lstrip("/").lower().startswith(("aws", "ssm"))


def _not_allowed(request: Request) -> Values | None:
    pattern = request.params.get("AllowedPattern")
    if not pattern or re.search(str(pattern), str(request.params.get("Value"))):
        return None
    return {"pattern": pattern}


def _late_policy(request: Request) -> bool:
    return "Policies" in request.params and request.params.get("Tier", "Standard") == "Standard"


_VALUE = {"Name": "/acme/dev", "Type": "String", "Value": "a"}

ENTRIES: tuple[Entry, ...] = (
    _parameter(
        says="A standard parameter has up to 4 KB.",
        source=_PARAMETER,
        message="Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter "
        "value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
        check=_tier(4096, advanced=False),
        accepted=_VALUE | {"Value": "a" * 4096},
        refused=_VALUE | {"Value": "a" * 4097},
    ),
    _parameter(
        says="An advanced parameter has up to 8 KB.",
        source=_PARAMETER,
        message="Advanced tier parameters support a maximum parameter value of 8192 characters.",
        inferred=True,
        check=_tier(8192, advanced=True),
        accepted=_VALUE | {"Tier": "Advanced", "Value": "a" * 8192},
        refused=_VALUE | {"Tier": "Advanced", "Value": "a" * 8193},
    ),
    _parameter(
        says="A parameter's name does not begin with aws or ssm.",
        source="Systems Manager user guide, Parameter name requirements and constraints",
        message='Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
        "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols "
        ".-_",
        check=_reserved,
        accepted=_VALUE,
        refused=_VALUE | {"Name": "/ssmith/dev"},
    ),
    _parameter(
        says="A hierarchy has up to 15 levels.",
        source=_PARAMETER,
        code="HierarchyLevelLimitExceededException",
        message="A hierarchy can have a maximum of 15 levels.",
        inferred=True,
        check=_levels,
        accepted=_VALUE | {"Name": "/a" * 15},
        refused=_VALUE | {"Name": "/a" * 16},
    ),
    _parameter(
        says="A value does not name another parameter.",
        source=_PARAMETER,
        message='Parameter value can\'t nest another parameter. Do not use "{{{{}}}}" in the value.',
        check=matching(r"\{\{.*\}\}", "Value"),
        accepted=_VALUE | {"Value": "{}"},
        refused=_VALUE | {"Value": "{{other}}"},
    ),
    _parameter(
        says="A value fits the parameter's pattern.",
        source=f"{_PARAMETER}; words: Systems Manager user guide, Create a parameter (AWS CLI)",
        code="ParameterPatternMismatchException",
        message="Parameter value, cannot be validated against allowedPattern: {pattern}",
        check=_not_allowed,
        accepted=_VALUE | {"AllowedPattern": "^a$"},
        refused=_VALUE | {"AllowedPattern": "^b$"},
    ),
    _parameter(
        says="A parameter with policies is of the advanced tier.",
        source=_PARAMETER,
        message="Parameter policies are supported only for parameters of the advanced tier.",
        inferred=True,
        check=_late_policy,
        accepted=_VALUE | {"Tier": "Advanced", "Policies": "[]"},
        refused=_VALUE | {"Policies": "[]"},
    ),
    _parameter(
        says="A description has up to 1,024 characters.",
        source=_PARAMETER,
        message="1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less "
        "than or equal to 1024",
        check=longer_than(1024, "Description"),
        accepted=_VALUE | {"Description": "a" * 1024},
        refused=_VALUE | {"Description": "a" * 1025},
    ),
)
