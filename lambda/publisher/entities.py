"""SageMaker's lineage entities that SageMaker does not create itself: from a version's manifest to the endpoint that serves it.

SageMaker creates artifacts for the S3 URIs of jobs, for model packages and for endpoints (developer guide, 'Amazon SageMaker
AI-Created Tracking Entities'). It does not know of the objects that Prepare reads by version id, and creates a deployment's
action when an endpoint is created, not when it is updated. So there is one artifact for a version's manifest, associated with
the artifact of its model package, and one action for a deployment, between that artifact and the context of the endpoint.

An account has 6,000 artifacts, 6,000 associations, 3,000 actions and 500 contexts that are created by hand: those of a model's
newest versions and deployments are kept (docs/decisions/0081-lineage-entities-of-the-newest-versions.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from records import Record, Records
from shared.errors import error_code, is_not_found
from shared.lineage_entities import KEPT

LATE = 3
"""Deployments before those that are looked at each time."""
LONGEST_PROPERTY = 2500
DATA, MODEL, DEPLOYMENT, ENDPOINT = "DataSet", "Model", "ModelDeployment", "Endpoint"
"""Types as SageMaker's own entities and QueryLineage have them."""
_EXISTS = ("ConflictException", "ValidationException")
_DEPLOYED = "succeeded"


@dataclass(frozen=True)
class Entities:
    """Lineage entities of an environment. `prefix`: `<factory>-<environment>`, which their names start with."""

    sagemaker: Any
    records: Records
    prefix: str

    def registered(self, record: Record) -> None:
        """Create the entities of a version that was registered. Safe to repeat. Raises ClientError."""
        manifest = record.get("evidence", {}).get("manifest")
        model, version = str(record["model"]), int(record["version"])
        if manifest is None:
            return
        metadata = record["facts"].get("CustomerMetadataProperties", {})
        names = (
            "content_digest",
            "data_digest",
            "code_digest",
            "libraries_digest",
            "git_commit",
            "pipeline_execution",
            "image",
        )
        properties = {name: str(metadata[name])[:LONGEST_PROPERTY] for name in names if metadata.get(name)}
        types = [{"SourceIdType": "S3Version", "Value": manifest["version_id"]}] if manifest.get("version_id") else []
        artifact = self._artifact(
            {"SourceUri": manifest["source"], **({"SourceTypes": types} if types else {})},
            DATA,
            properties | {"sha256": manifest["sha256"], "version": str(version), "model": model},
        )
        self._associate(artifact, self._artifact({"SourceUri": record["subject"]}, MODEL), "ContributedTo")
        if version > KEPT:
            self._forget_versions(model, [version - KEPT])

    def deployed(self, record: Record) -> None:
        """Create the entities of a deployment that succeeded. Safe to repeat. Raises ClientError."""
        facts, package, model = record["facts"], record["subject"], str(record["model"])
        if facts.get("outcome") != _DEPLOYED or not package:
            return
        configuration, endpoint = facts["configuration"], facts["endpoint"]
        start = package.partition(":model-package/")[0]
        action = self._action(
            ActionName=configuration,
            ActionType=DEPLOYMENT,
            Source={"SourceUri": f"{start}:endpoint-config/{configuration}", "SourceType": "EndpointConfig"},
            Status="Completed",
            Properties={"version": str(record["version"]), "started": facts["started"], "ended": record["time"]},
        )
        self._associate(self._artifact({"SourceUri": package}, MODEL), action, "ContributedTo")
        self._associate(action, self._context(f"{start}:endpoint/{endpoint}", endpoint), "AssociatedWith")
        self._forget_older(model)

    def deleted(self, record: Record) -> None:
        """Delete the entities of a model whose versions are deleted. Safe to repeat. Raises ClientError."""
        model, stack = str(record["model"]), str(record["subject"])
        for _, _, sequence in list(self.records.markers(model, "deployment")):
            self._forget_deployment(self.records.of_sequence(model, sequence))
        for _, _, sequence in list(self.records.markers(model, "registration")):
            self._delete_version(self.records.of_sequence(model, sequence))
        endpoint = f"{stack.replace(':cloudformation:', ':sagemaker:').rpartition(':')[0]}:endpoint"
        for context in self._contexts(f"{endpoint}/{record['facts']['endpoint']}"):
            if not self._is_associated(context):
                self._unless_gone(self.sagemaker.delete_context, ContextName=context.rpartition("/")[2])

    def _forget_older(self, model: str) -> None:
        """Delete the entities of the deployments before the newest ones; of several, because a marker may come late."""
        markers = list(self.records.markers(model, "deployment"))
        older = markers[:-KEPT][-LATE:]
        newest = [self.records.of_sequence(model, each[2]) for each in markers[-KEPT:]] if older else []
        # A configuration is deployed again after a rollback.
        kept = {each["facts"]["configuration"] for each in newest}
        for _, _, sequence in older:
            record = self.records.of_sequence(model, sequence)
            if record["facts"]["configuration"] not in kept:
                self._forget_deployment(record)
        if older:
            self._forget_versions(model, [version for _, version, _ in older])

    def _forget_versions(self, model: str, versions: Sequence[int]) -> None:
        """Delete the artifacts of those versions that are not among the newest and were not deployed lately."""
        registered = list(self.records.markers(model, "registration"))
        deployed = list(self.records.markers(model, "deployment"))
        kept = {number for _, number, _ in (*registered[-KEPT:], *deployed[-KEPT:])}
        for _, number, sequence in registered:
            if number in versions and number not in kept:
                self._delete_version(self.records.of_sequence(model, sequence))

    def _delete_version(self, registration: Record) -> None:
        """Delete the artifact of a manifest, and that of the model package where nothing else is associated with it.

        An artifact that SageMaker created has associations with its group, image and model data.
        """
        uri = registration.get("evidence", {}).get("manifest", {}).get("source")
        for found in self._artifacts(uri) if uri else ():
            self._delete_associations(found)
            self._unless_gone(self.sagemaker.delete_artifact, ArtifactArn=found)
        for found in self._artifacts(registration["subject"]):
            if not self._is_associated(found):
                self._unless_gone(self.sagemaker.delete_artifact, ArtifactArn=found)

    def _forget_deployment(self, record: Record) -> None:
        if record["facts"].get("outcome") == _DEPLOYED and record["subject"]:
            start, name = str(record["subject"]).partition(":model-package/")[0], record["facts"]["configuration"]
            self._delete_associations(f"{start}:action/{name}")
            self._unless_gone(self.sagemaker.delete_action, ActionName=name)

    def _artifact(self, source: dict[str, Any], kind: str, properties: dict[str, str] | None = None) -> str:
        """ARN of the artifact with this source URI, of which there is one; SageMaker may have created it."""
        found = next(self._artifacts(source["SourceUri"]), None)
        if found:
            return found
        request: dict[str, Any] = {"Source": source, "ArtifactType": kind}
        try:
            return self.sagemaker.create_artifact(**request, **({"Properties": properties} if properties else {}))[
                "ArtifactArn"
            ]
        except ClientError as error:
            return self._existing(error, self._artifacts(source["SourceUri"]))

    def _artifacts(self, uri: str) -> Iterator[str]:
        listed = self.sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
        return (each["ArtifactArn"] for each in listed)

    def _context(self, endpoint_arn: str, endpoint: str) -> str:
        """ARN of the context of an endpoint."""
        if context := next(self._contexts(endpoint_arn), None):
            return context
        try:
            return self.sagemaker.create_context(
                ContextName=f"{endpoint}-lineage", ContextType=ENDPOINT, Source={"SourceUri": endpoint_arn}
            )["ContextArn"]
        except ClientError as error:
            return self._existing(error, self._contexts(endpoint_arn))

    def _contexts(self, endpoint_arn: str) -> Iterator[str]:
        listed = self.sagemaker.list_contexts(SourceUri=endpoint_arn, ContextType=ENDPOINT)["ContextSummaries"]
        return (each["ContextArn"] for each in listed)

    def _action(self, **request: Any) -> str:
        """ARN of the action with this name."""
        uri = request["Source"]["SourceUri"]

        def found() -> Iterator[str]:
            listed = self.sagemaker.list_actions(SourceUri=uri, ActionType=request["ActionType"])["ActionSummaries"]
            return (each["ActionArn"] for each in listed if each["ActionName"] == request["ActionName"])

        if action := next(found(), None):
            return action
        try:
            return self.sagemaker.create_action(**request)["ActionArn"]
        except ClientError as error:
            return self._existing(error, found())

    @staticmethod
    def _existing(error: ClientError, found: Iterator[str]) -> str:
        """The entity that was created at the same time. Raises the error when there is none."""
        existing = next(found, None) if error_code(error) in _EXISTS else None
        if existing is None:
            raise error
        return existing

    def _associate(self, source: str, destination: str, kind: str) -> None:
        """An association, which SageMaker refuses when it exists."""
        ends = {"SourceArn": source, "DestinationArn": destination}
        if not self.sagemaker.list_associations(**ends)["AssociationSummaries"]:
            self.sagemaker.add_association(**ends, AssociationType=kind)

    def _is_associated(self, arn: str) -> bool:
        return any(
            self.sagemaker.list_associations(**{end: arn})["AssociationSummaries"]
            for end in ("SourceArn", "DestinationArn")
        )

    def _delete_associations(self, arn: str) -> None:
        """Delete all associations of an entity: SageMaker deletes no entity that has some."""
        pages = self.sagemaker.get_paginator("list_associations")
        for end in ("SourceArn", "DestinationArn"):
            found = [each for page in pages.paginate(**{end: arn}) for each in page["AssociationSummaries"]]
            for each in found:
                self._unless_gone(
                    self.sagemaker.delete_association,
                    SourceArn=each["SourceArn"],
                    DestinationArn=each["DestinationArn"],
                )

    @staticmethod
    def _unless_gone(delete: Any, **request: str) -> None:
        try:
            delete(**request)
        except ClientError as error:
            if not is_not_found(error):
                raise
