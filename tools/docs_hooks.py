"""MkDocs hooks: pages from the root of the repository, and links to files that are not pages.

CONTRIBUTING.md and similar files are pages of the site. A link to another file of the repository is replaced with its text,
because the site does not contain the file. A link to a file that does not exist fails the build.
"""

# MkDocs is installed in .venv-docs only.

import logging
import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
ROOT_PAGES = {
    f"{name}.md": f"project/{name.lower()}.md" for name in ("CHANGELOG", "CODE_OF_CONDUCT", "CONTRIBUTING", "SECURITY")
}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
log = logging.getLogger("mkdocs.hooks")


def on_config(config):  # noqa: ANN001, ANN201
    """Add every decision record to the navigation."""
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    config.nav.insert(-1, {"Decisions": [f"decisions/{path.name}" for path in records]})
    return config


def on_files(files: Files, config):  # noqa: ANN001, ANN201 (mkdocs passes its own configuration)
    """Add the pages of the repository's root."""
    for source, target in ROOT_PAGES.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:  # noqa: ANN001
    """Change links to the pages of the site, and replace links to files that are not pages with their text."""
    page_path = PurePosixPath(page.file.src_uri)
    sources = {target: source for source, target in ROOT_PAGES.items()}
    in_repository = PurePosixPath(sources.get(str(page_path), f"docs/{page_path}"))

    def resolve(match: re.Match[str]) -> str:
        text, link, anchor = match[1], match[2], match[3] or ""
        target = os.path.normpath(in_repository.parent / link)
        on_site = ROOT_PAGES.get(target) or target.removeprefix("docs/")
        if files.get_file_from_path(on_site):
            return f"[{text}]({os.path.relpath(on_site, page_path.parent)}{anchor})"
        if not (ROOT / target).exists():
            log.warning("%s links to %s, which does not exist", in_repository, link)
        elif target.endswith(".md") and target.startswith("docs/"):
            log.warning("%s links to %s, which is not a page of the site", in_repository, link)
        return text

    return LINK.sub(resolve, markdown)
