"""Rules about API operations: one table a service, or a part of one."""

from ..rule import Entry
from . import sagemaker_endpoints

ENTRIES: tuple[Entry, ...] = (*sagemaker_endpoints.ENTRIES,)
