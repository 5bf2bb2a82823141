"""Why a stack operation failed, in CloudFormation's words."""


class RefusedError(Exception):
    """CloudFormation itself refuses the change; the message is the status reason."""
