"""Channel configurations of Amazon Q Developer in chat applications."""

from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, NotEnforced, Request, Rule, Values

SLACK, TEAMS = "AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"
_IDS = {SLACK: ("SlackWorkspaceId", "SlackChannelId"), TEAMS: ("TeamsTenantId", "TeamId", "TeamsChannelId")}
_ISSUE = "aws-cloudformation/cloudformation-coverage-roadmap issue 1155, hashicorp/terraform-provider-awscc issue 1011"


def _configured(ids: tuple[str, ...], request: Request) -> Values | None:
    given = [str(request.params.get(name)) for name in ids]
    found = request.find("chat-channel", "/".join(given))
    if found is None or found["ConfigurationName"] == request.params.get("ConfigurationName"):
        return None
    return {"channel": given[-1], "team": given[-2]}


def _once(kind: str, product: str, params: dict[str, Any]) -> Rule:
    ids = _IDS[kind]
    place = "/".join(str(params[name]) for name in ids)
    return Rule(
        CLOUDFORMATION,
        kind,
        says=f"A channel of {product} has one configuration in an account.",
        source=_ISSUE,
        code="InvalidRequestException",
        message=f"Invalid request provided: {product} channel with ID {{channel}} in {product} team {{team}} has already been "
        "configured for AWS account",
        inferred=kind == TEAMS,
        check=partial(_configured, ids),
        accepted=params | {"ConfigurationName": "first"},
        refused=params | {"ConfigurationName": "second"},
        given={f"chat-channel/{place}": {"ConfigurationName": "first"}},
    )


ENTRIES: tuple[Entry, ...] = (
    _once(SLACK, "Slack", {"SlackWorkspaceId": "T0123ABCD", "SlackChannelId": "C0123ABCD"}),
    _once(TEAMS, "Teams", {"TeamsTenantId": "t", "TeamId": "g", "TeamsChannelId": "c"}),
    NotEnforced(
        CLOUDFORMATION,
        f"{SLACK} {TEAMS}",
        "The workspace or the team is authorized in the console.",
        "Amazon Q Developer in chat applications, administrator guide, Tutorial: Get started with Slack",
        "A person authorizes it in a browser; there is no API for it.",
    ),
)
