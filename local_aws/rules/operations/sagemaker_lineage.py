"""SageMaker: model cards and lineage entities."""

from ..checks import absent, existing, first, none_of, together
from ..rule import Check, Entry, NotEnforced, Request, Values, table

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
LINEAGE = "SageMaker developer guide: Manually create tracking entities"
rule = table("sagemaker", "ResourceNotFound", "SageMaker API reference: DescribeModelCard")


def _full(kind: str, limit: int, path: str) -> Check:
    """The account has the maximum number; the record is looked up with the new entity's name, for the examples."""

    def check(request: Request) -> Values | None:
        found = request.find("lineage-entities", f"{kind}/{first(request.params, path)}") or {}
        return {"limit": limit, "count": found.get("Count")} if found.get("Count", 0) >= limit else None

    return check


def _archived(request: Request) -> Values | None:
    card = request.find("model-card", request.params["ModelCardName"]) or {}
    content = first(request.params, "Content")
    return {"value": request.params["ModelCardName"]} if content and card.get("ModelCardStatus") == "Archived" else None


def _limit(operation: str, kind: str, limit: int, path: str, more: dict[str, object]) -> Entry:
    """The rule about the number of entities of a kind; `path`: the member that identifies one, of `A` or `A.B`."""
    member, _, below = path.partition(".")

    def params(value: str) -> dict[str, object]:
        return {member: {below: value} if below else value, **more}

    fits, one_more = f"{ARN}:context/c", f"{ARN}:context/d"
    return rule(
        operation,
        f"An account has at most {limit} {kind}s that are created by hand.",
        f"The account-level service limit 'Number of {kind}s' is {{limit}}, with current utilization of {{count}}.",
        _full(kind, limit, path),
        params(fits if "Arn" in path else "fits"),
        params(one_more if "Arn" in path else "more"),
        code="ResourceLimitExceeded",
        source=LINEAGE,
        given={
            f"lineage-entities/{kind}/{fits if 'Arn' in path else 'fits'}": {"Count": limit - 1},
            f"lineage-entities/{kind}/{one_more if 'Arn' in path else 'more'}": {"Count": limit},
            **{f"lineage/{arn}": {} for arn in (f"{ARN}:artifact/a", fits, one_more)},
        },
        inferred=True,
    )


ENTRIES: tuple[Entry, ...] = (
    rule(
        "CreateModelCard",
        "The name of a model card is free.",
        "Modelcard {value} already exists",
        existing("model-card", "ModelCardName"),
        {"ModelCardName": "new", "Content": "{}", "ModelCardStatus": "Draft"},
        {"ModelCardName": "card", "Content": "{}", "ModelCardStatus": "Draft"},
        code="ConflictException",
        source="SageMaker API reference: CreateModelCard",
        given={"model-card/card": {"ModelCardStatus": "Draft"}},
    ),
    rule(
        "DescribeModelCard UpdateModelCard DeleteModelCard",
        "The model card exists.",
        "Modelcard {value} does not exist.",
        absent("model-card", "ModelCardName"),
        {"ModelCardName": "card"},
        {"ModelCardName": "missing"},
        given={"model-card/card": {"ModelCardStatus": "Draft"}},
    ),
    rule(
        "UpdateModelCard",
        "Content and status of a model card are not updated in one call.",
        "You cannot update both model card content and model card status in a single call.",
        together("Content", "ModelCardStatus"),
        {"ModelCardName": "card", "Content": "{}"},
        {"ModelCardName": "card", "Content": "{}", "ModelCardStatus": "Approved"},
        code="ValidationException",
        source="SageMaker API reference: UpdateModelCard",
        given={"model-card/card": {"ModelCardStatus": "Draft"}},
    ),
    rule(
        "UpdateModelCard",
        "The content of an archived model card is not updated.",
        "Model Card is in Archived state.",
        _archived,
        {"ModelCardName": "card", "Content": "{}"},
        {"ModelCardName": "old", "Content": "{}"},
        code="ConflictException",
        source="SageMaker API reference: ModelPackageModelCard",
        given={"model-card/card": {"ModelCardStatus": "Draft"}, "model-card/old": {"ModelCardStatus": "Archived"}},
    ),
    rule(
        "DeleteArtifact DescribeArtifact",
        "The artifact exists.",
        "Artifact {value} does not exist.",
        absent("lineage", "ArtifactArn"),
        {"ArtifactArn": f"{ARN}:artifact/a"},
        {"ArtifactArn": f"{ARN}:artifact/b"},
        source="SageMaker API reference: DeleteArtifact",
        given={f"lineage/{ARN}:artifact/a": {}},
    ),
    rule(
        "DeleteArtifact",
        "An artifact is deleted by its ARN or its source.",
        "Either ArtifactArn or Source must be specified.",
        none_of("ArtifactArn", "Source"),
        {"ArtifactArn": f"{ARN}:artifact/a"},
        {},
        code="ValidationException",
        source="SageMaker API reference: DeleteArtifact",
        given={f"lineage/{ARN}:artifact/a": {}},
        inferred=True,
    ),
    rule(
        "AddAssociation",
        "Both ends of an association exist.",
        "Entity {value} does not exist.",
        lambda request: absent("lineage", "SourceArn")(request) or absent("lineage", "DestinationArn")(request),
        {"SourceArn": f"{ARN}:artifact/a", "DestinationArn": f"{ARN}:context/c"},
        {"SourceArn": f"{ARN}:artifact/a", "DestinationArn": f"{ARN}:context/d"},
        source="SageMaker API reference: AddAssociation",
        given={f"lineage/{ARN}:artifact/a": {}, f"lineage/{ARN}:context/c": {}},
    ),
    _limit("CreateArtifact", "artifact", 6000, "Source.SourceUri", {"ArtifactType": "DataSet"}),
    _limit(
        "CreateAction",
        "action",
        3000,
        "ActionName",
        {"Source": {"SourceUri": "s3://b/k"}, "ActionType": "ModelDeployment"},
    ),
    _limit(
        "CreateContext", "context", 500, "ContextName", {"Source": {"SourceUri": "s3://b/k"}, "ContextType": "Endpoint"}
    ),
    _limit("AddAssociation", "association", 6000, "DestinationArn", {"SourceArn": f"{ARN}:artifact/a"}),
    NotEnforced(
        "sagemaker",
        "CreateModelCard",
        "An account has a maximum number of model cards.",
        "SageMaker API reference: CreateModelCard",
        "The error ResourceLimitExceeded is documented; no page names the number.",
    ),
)
