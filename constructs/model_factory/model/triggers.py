"""Parameters of training pipelines: what started the execution, and why; of own pipelines also where their code is."""

from ..definition import Parameter

TRIGGER = Parameter("Trigger", "manual")
REASON = Parameter("Reason", "")
CODE_PARAMETER = "ModelFactoryCode"
"""URI of a zip of all files of an own pipeline: what the recorder keeps as evidence (lambda/shared/lineage_files.py)."""
