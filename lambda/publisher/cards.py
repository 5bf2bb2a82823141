"""The SageMaker Model Card of each version: created at its registration, updated with what is decided, archived at its end.

A card of its own, not the member ModelCard of the model package: UpdateModelPackage would make this function who modified the
version last, which is how SageMaker says who approved it (docs/decisions/0082-model-cards-are-cards-of-their-own.md).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from card_content import Version, content, status
from records import Record, Records
from shared.chain import digest
from shared.errors import is_not_found

KINDS = ("registration", "approval", "rejection", "promotion", "deployment")
"""Kinds of records that a card is made from."""
ARCHIVED = "Archived"
TRAININGS = 3
"""Executions of a model that end after a registration and are compared with it: few run at the same time."""


@dataclass(frozen=True)
class Cards:
    """Model cards of an environment.

    Args:
        sagemaker: Client of SageMaker.
        records: Records of the environment.
        prefix: `<factory>-<environment>`, which their names start with.
        key_arn: Key that encrypts new cards. SageMaker changes the key of none.
    """

    sagemaker: Any
    records: Records
    prefix: str
    key_arn: str

    def refresh(self, record: Record, version: int) -> str | None:
        """Write the card of the version that a record is about; its name. None for one without a registration.

        Safe to repeat, and in any order: the card follows from the records that are there. Raises ClientError.
        """
        model = str(record["model"])
        known = self._known(record, model, version)
        if known is None:
            return None
        name = card_name(self.prefix, known.registration)
        self._write(name, content(known), status(known))
        return name

    def archive_all(self, model: str) -> None:
        """Archive the cards of a model whose versions are deleted. Raises ClientError."""
        for _, _, sequence in list(self.records.markers(model, "registration")):
            name = card_name(self.prefix, self.records.of_sequence(model, sequence))
            found = self._described(name)
            if found and found["ModelCardStatus"] != ARCHIVED:
                self.sagemaker.update_model_card(ModelCardName=name, ModelCardStatus=ARCHIVED)

    def _known(self, record: Record, model: str, version: int) -> Version | None:
        by_sequence = {each["sequence"]: each for each in self.records.of_version(model, version, KINDS)}
        if record["kind"] in KINDS:  # its marker is written after it
            by_sequence[record["sequence"]] = record
        ordered = [by_sequence[sequence] for sequence in sorted(by_sequence)]
        # An ARN is used again after its group was deleted: the newest registration and what followed is the version.
        registrations = [each for each in ordered if each["kind"] == "registration"]
        if not registrations or not registrations[-1]["subject"]:
            return None
        registration = registrations[-1]
        decisions = [
            each
            for each in ordered
            if each["kind"] != "registration"
            and each["time"] >= registration["time"]
            and "refused" not in each["facts"]
        ]
        evaluation = self.records.evidence(registration, "evaluation")
        training = record if record["kind"] == "training" else self._training(registration)
        return Version(registration, decisions, evaluation, training)

    def _training(self, registration: Record) -> Record | None:
        """The record of the execution that registered the version, one of the first that ended after the registration."""
        metadata = registration["facts"].get("CustomerMetadataProperties", {})
        execution = metadata.get("pipeline_execution")
        if not execution or "origin" in metadata:
            return None
        model = str(registration["model"])
        since = datetime.fromisoformat(registration["time"]).replace(microsecond=0)
        ended = [found for found in self.records.markers(model, "training") if found[0] >= since]
        for _, _, sequence in ended[:TRAININGS]:
            record = self.records.of_sequence(model, sequence)
            if record["subject"] == execution:
                return record
        return None

    def _write(self, name: str, text: str, state: str) -> None:
        found = self._described(name)
        if found is None:
            self.sagemaker.create_model_card(
                ModelCardName=name, Content=text, ModelCardStatus=state, SecurityConfig={"KmsKeyId": self.key_arn}
            )
            return
        if found["ModelCardStatus"] == ARCHIVED:
            return  # the version is deleted; SageMaker changes the content of no archived card
        # SageMaker does not update content and status in one call.
        if found["Content"] != text:
            self.sagemaker.update_model_card(ModelCardName=name, Content=text)
        if found["ModelCardStatus"] != state:
            self.sagemaker.update_model_card(ModelCardName=name, ModelCardStatus=state)

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            return self.sagemaker.describe_model_card(ModelCardName=name)
        except ClientError as error:
            if not is_not_found(error):
                raise
            return None


def card_name(prefix: str, registration: Record) -> str:
    """Name of the card of a version: `<factory>-<environment>-<model>-v<version>-<six digits>`, at most 63 characters.

    The digits are of the registration's id: after a model's stack was deleted, version 1 is another version.
    """
    digits = digest(str(registration["id"]).encode())[:6]
    return f"{prefix}-{registration['model']}-v{registration['version']}-{digits}"
