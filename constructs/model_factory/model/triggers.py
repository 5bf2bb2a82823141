"""Parameters of every training pipeline: what started the execution, and why."""

from ..definition import Parameter

TRIGGER = Parameter("Trigger", "manual")
REASON = Parameter("Reason", "")
