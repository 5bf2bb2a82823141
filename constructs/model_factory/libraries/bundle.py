"""The files of a model's libraries, as jobs and endpoints get them."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..config import ConfigError, Mistake, ModelConfig
from ..core.image import ImageContent, image_content
from .check import import_mistakes
from .lockfile import LOCK, REQUIREMENTS, Lock, read_lock, read_requirements
from .resolve import archive_of

NOT_SHIPPED = (REQUIREMENTS, LOCK)
"""Files of a model's folder that jobs do not get: what they say is in the libraries, and a comment changes nothing."""


@dataclass(frozen=True)
class Libraries:
    """Libraries that a model needs besides those of the image.

    Args:
        archive: A zip of the installed files.
        digest: SHA-256 over the names and contents of the files, in hexadecimal.
    """

    archive: Path
    digest: str


def model_libraries(config: ModelConfig, project: Path, image_uri: str | None = None) -> Libraries | None:
    """The libraries of a model; None when it has none. The first time with a lock needs a package index.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
        image_uri: URI of its image. Default: `training.image`, or AWS's image of the framework.

    Raises:
        ConfigError: The lock does not fit, a library cannot be downloaded, or the model imports a module that is nowhere.
    """
    if (image := image_of(config, project, image_uri)) is None:
        return None
    lock = read_lock(project, image)
    if mistakes := _imports(project, image, lock):
        raise ConfigError(mistakes)
    if lock is None or not lock.packages:
        return None
    archive = archive_of(lock, image)
    with zipfile.ZipFile(archive) as opened:
        return Libraries(archive, opened.comment.decode())


def library_mistakes(config: ModelConfig, project: Path) -> list[Mistake]:
    """All mistakes in a model's requirements, lock and imports. Needs no network.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
    """
    try:
        image = image_of(config, project)
        lock = read_lock(project, image) if image else None
    except ConfigError as error:
        return error.mistakes
    return _imports(project, image, lock) if image else []


def image_of(config: ModelConfig, project: Path, image_uri: str | None = None) -> ImageContent | None:
    """What the model's image brings; None when that is not known.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
        image_uri: URI of its image. Default: `training.image`, or AWS's image of the framework.

    Raises:
        ConfigError: The model has requirements, and an image whose libraries are not known.
    """
    image_uri = image_uri or config.training.image
    image = image_content(image_uri, config.training.framework)
    if image is None and read_requirements(project):
        raise ConfigError(
            [
                Mistake(
                    project / REQUIREMENTS,
                    None,
                    f"libraries of the image {image_uri} are not known: install these in the image and remove the "
                    "file, or leave out training.image",
                )
            ]
        )
    return image


def _imports(project: Path, image: ImageContent, lock: Lock | None) -> list[Mistake]:
    return import_mistakes(project, image, lock.modules if lock else frozenset())
