"""State that outlives the process of an embedded AWS: what is kept, in which form, and when it is written.

`stores` has the register of what is kept, `pickling` its form, `state_file` the file, `keeper` the times.
"""

from typing import Any

STATE_FILE = "state"
"""Name of the file in the folder of what is kept."""


def forget(self: object) -> tuple[Any, ...]:
    """The `__reduce__` of a class whose objects belong to the process: None is in their place after a restart."""
    return type(None), ()
