"""Calls that AWS refused for lack of a permission: which one, and of which role."""

import re

from botocore.exceptions import ClientError

CODES = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "KMS.AccessDeniedException",
    "UnauthorizedOperation",
    "403",  # of HeadObject and HeadBucket, whose response has no body
)
_MESSAGE = re.compile(
    r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r'(?: on resource: "?(?P<resource>[^\s"]+)"?)?'  # S3 quotes it
    r"(?P<why> because .+|.* explicit deny.*)?",
    re.DOTALL,
)


def explain(error: ClientError) -> str:
    """The message of an error of AWS; of a refusal: the principal, the missing permission, the command that prints policies."""
    if error.response["Error"]["Code"] not in CODES:
        return str(error)
    message = error.response["Error"].get("Message", "")
    advice = "model-factory policy prints the policy that a command needs"
    found = _MESSAGE.search(message)
    if found is None:  # some services do not say more than that
        return f"AWS refused {error.operation_name} ({message or 'no reason given'}); {advice}"
    resource = f" on {found['resource']}" if found["resource"] else ""
    why = (found["why"] or "").strip()
    return f"{principal(found['principal'])} needs {found['action']}{resource}{f' ({why})' if why else ''}; {advice}"


def principal(arn: str) -> str:
    """`the role <name> of <account> (session <session>)` for the ARN of an assumed role; other principals as they are."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return arn
    name, _, session = rest.rpartition("/")
    return f"the role {name.rpartition('/')[2]} of {arn.split(':')[4]} (session {session})"
