"""The files that a promoted version's lineage refers to, copied with it: destroying the first environment does not erase them.

They lie below the promoted version's folder under the same paths as after a training. What is in no bucket of the folder
(the pipeline's definition and the zip of the jobs' code) gets the folder `lineage/`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from botocore.exceptions import ClientError

from .clients import ClientProvider
from .errors import error_code, is_missing
from .s3 import split_uri

FOLDERS = ("prepare/report/", "prepare/test/", "prepare/baseline/", "evaluation/", "lineage/")
"""Folders below an execution's folder. The rows that a version was trained on are named by its manifest, not copied."""
TRAIN_OUTPUT = "output.tar.gz"
DEFINITION, CODE = "lineage/definition.json", "lineage/code.zip"
CODE_PARAMETER = "ModelFactoryCode"


class DigestError(Exception):
    """An object has another SHA-256 than the expected one; the message is the SHA-256."""


class Copy(Protocol):
    """Copies objects into the folder of the promoted version."""

    def file(self, uri: str, expected: str | None = None, to: str = "") -> tuple[str, str]:
        """URI and SHA-256 of the copy; `to`: its path below the folder. Default: the path below the source's folder.

        Raises DigestError when the SHA-256 is not the `expected` one.
        """
        ...

    def write(self, path: str, content: bytes) -> None:
        """Write an object below the folder."""
        ...


def copy_lineage(
    package: Mapping[str, Any], source: ClientProvider, copy: Copy, evidence_uri: str | None = None
) -> dict[str, str]:
    """Copy the files of a version; the members of its metadata that refer to the copies.

    Files that do not exist are left out, as of a version of another pipeline. Raises ClientError for other errors.

    Args:
        package: The described model package.
        source: Clients of the environment that gives the version.
        copy: Copies into the other environment.
        evidence_uri: Folder of the model's evidence in `source`, which still has a zip that `cdk gc` removed. Default: none.
    """
    metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
    artifact: str = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    above, found, below = artifact.partition("/executions/")
    if not found:
        return {}
    folder = f"{above}{found}{below.partition('/')[0]}/"
    copied = {path: copy.file(folder + path)[0] for path in _files(source.client("s3"), folder)}
    execution = metadata.get("pipeline_execution")
    definition = None
    if DEFINITION not in copied and execution and "origin" not in metadata:
        definition = _copy_definition(execution, source, copy)
    if definition:
        _copy_code(definition, metadata.get("code_digest"), evidence_uri, copy)
    manifest = copied.get("prepare/report/manifest.json")
    return {"data_manifest": manifest} if manifest else {}


def code_uri(definition: Mapping[str, Any]) -> str | None:
    """URI of the zip that the jobs of a pipeline definition run: the input `code` of its first processing step.

    A pipeline of a model's own, whose jobs run single files, names a zip of all of them in a parameter.
    """
    for parameter in definition.get("Parameters", []):
        if parameter.get("Name") == CODE_PARAMETER:
            return parameter.get("DefaultValue")
    for step in definition.get("Steps", []):
        for given in step.get("Arguments", {}).get("ProcessingInputs", []):
            uri = given.get("S3Input", {}).get("S3Uri")
            if given.get("InputName") == "code" and isinstance(uri, str):
                return uri
    return None


def _files(s3: Any, folder: str) -> Iterator[str]:
    """Paths below an execution's folder of what is copied."""
    bucket, prefix = split_uri(folder)
    for part in (*FOLDERS, "train/"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + part):
            for entry in page.get("Contents", []):
                path: str = entry["Key"].removeprefix(prefix)
                if part != "train/" or path.endswith(f"/{TRAIN_OUTPUT}"):
                    yield path


def _copy_definition(execution: str, source: ClientProvider, copy: Copy) -> str | None:
    """The definition of the execution; None when it is gone with its pipeline."""
    try:
        described = source.client("sagemaker").describe_pipeline_definition_for_execution(
            PipelineExecutionArn=execution
        )
    except ClientError as error:
        if _is_missing(error):
            return None
        raise
    definition: str = described["PipelineDefinition"]
    copy.write(DEFINITION, definition.encode())
    return definition


def _copy_code(definition: str, digest: str | None, evidence_uri: str | None, copy: Copy) -> None:
    """Copy the zip that the training ran, from where it ran it, else from evidence, where its name is its SHA-256."""
    uri = code_uri(cast(dict[str, Any], json.loads(definition)))
    if uri is None:
        return
    for source in (uri, f"{evidence_uri}/{digest}" if evidence_uri and digest else None):
        if source is None:
            return
        try:
            copy.file(source, expected=digest, to=CODE)
        except DigestError:  # somebody has written another file under the name
            continue
        except ClientError as error:
            if not _is_missing(error):
                raise
            continue
        return


def _is_missing(error: ClientError) -> bool:
    return is_missing(error) or error_code(error) in ("404", "NoSuchKey")
