"""Command on the evidence of a version: verify."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from ..options import EnvironmentName, Profile, ProjectFolder, err, out, refuse
from ..project import EnvironmentSession, Project, UsageError

if TYPE_CHECKING:
    from ..records.evidence import Check

Reference = Annotated[str | None, typer.Argument(help="Version, such as MODEL@7; omit it with --folder.")]


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(verify)


def verify(
    reference: Reference = None,
    env: EnvironmentName = None,
    folder: Annotated[
        Path | None, typer.Option(help="Verify a folder that --save wrote; needs no AWS and no repository.")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Also save the evidence into this folder, with the record.")] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key", help="Key that must have signed, PEM or DER; default: KMS's, with --folder the evidence's."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Verify artifact, bill of materials and signature of a version from its evidence.

    Exit codes: 0 everything is as it was registered, 1 mistake or refusal, 3 something is missing or was altered.
    """
    key = _key_file(public_key) if public_key else None
    if (reference is None) == (folder is None):
        raise UsageError("give either a version (MODEL@7) or --folder FOLDER")
    if folder:
        refuse("--folder", "reads nothing from an environment", {"--env": env, "--save": save, "--profile": profile})
    checks = (
        _verify_folder(folder, key)
        if folder
        else _verify_version(Project(root, profile), reference or "", env, key, save)
    )
    if as_json:
        print(json.dumps([vars(check) for check in checks], indent=2))
    for check in checks if not as_json else ():
        status = "[bold red]wrong[/]" if check.problem else "[green]ok[/]"
        out.print(f"{status:<22}", end="")
        out.print(f"{check.name}: {check.problem or check.note}", markup=False, soft_wrap=True)
    if any(check.problem for check in checks):
        err.print("the evidence is not as it was registered", style="bold red")
        raise typer.Exit(3)


def _verify_folder(folder: Path, key: bytes | None) -> "list[Check]":
    from ..records.evidence import RECORD, folder_files
    from ..records.evidence import verify as verify_evidence

    try:
        record = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder / RECORD} cannot be read: {error}; write it with model-factory verify --save"
        ) from None
    return verify_evidence(record, folder_files(folder), key)


def _verify_version(
    project: Project, text: str, env: str | None, key: bytes | None, save: Path | None
) -> "list[Check]":
    from model_factory.functions.shared.chain import evidence_key

    from ..records.chain import newest
    from ..records.evidence import Check, folder_files
    from ..records.evidence import verify as verify_evidence
    from ..references import parse_reference

    wanted = parse_reference(project, text)
    if wanted.version is None:
        raise UsageError(f"give a version of {wanted.model}, such as {wanted.model}@7")
    session = project.environment(env)
    bucket = session.names.bucket("records")
    entry = newest(session, bucket, wanted.model, "registration", wanted.version)
    if entry is None:
        raise UsageError(
            f"{session.environment.name} has no record of the registration of version {wanted.version} of {wanted.model}"
        )
    record = entry.record
    evidence: dict[str, dict[str, Any]] = record.get("evidence") or {}
    keys = {name: evidence_key(wanted.model, str(file["sha256"])) for name, file in evidence.items()}
    if save:
        _save(session, bucket, keys, save, record)
    opened = folder_files(save) if save else lambda name: _object(session, bucket, keys[name])
    checks = verify_evidence(record, opened, key or _signing_key(session, evidence))
    return [*([Check("record", problem=entry.problem)] if entry.problem else []), *checks]


def _save(session: EnvironmentSession, bucket: str, keys: dict[str, str], folder: Path, record: dict[str, Any]) -> None:
    """Write the record and its files into a folder."""
    from ..records.evidence import RECORD

    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).write_text(json.dumps(record, indent=1))
    for name, key in keys.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"the record names a file {name!r}, which would be written outside of {folder}")
        content = _object(session, bucket, key)
        if content is None:
            continue  # the verification says that it is missing
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            while chunk := content.read(1 << 20):
                file.write(chunk)


def _object(session: EnvironmentSession, bucket: str, key: str) -> BinaryIO | None:
    s3: Any = session.client("s3")
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"]
    except s3.exceptions.NoSuchKey:
        return None


def _signing_key(session: EnvironmentSession, evidence: dict[str, dict[str, Any]]) -> bytes | None:
    """The public key of the KMS key that the record names, as KMS gives it; None for a version without a signature."""
    if "signature" not in evidence:
        return None
    kms: Any = session.client("kms")
    try:
        return kms.get_public_key(KeyId=evidence["signature"]["source"])["PublicKey"]
    except kms.exceptions.NotFoundException:
        raise UsageError(
            f"KMS has no key {evidence['signature']['source']} any more; give --public-key with the file that was kept"
        ) from None


def _key_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"--public-key {path}: {error.strerror}") from None
