"""A clone of a repository on the embedded AWS: change files, commit and push."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from local_aws.bootstrap import bootstrap, cdk
from local_aws.server import LocalAws

from ...project import Project
from ...repository.init import init

REPOSITORY = "acme/models"
TOOLING = ("999999999999", "eu-west-1")
CONNECTION = f"arn:aws:codeconnections:{TOOLING[1]}:{TOOLING[0]}:connection/11111111-2222-4333-8444-555555555555"
# The library is installed already, and tests/stacks validates the templates.
INSTALL = "export CDK_VALIDATION=false"
TEST = "python3 -m compileall -q models"


@dataclass(frozen=True)
class Workspace:
    """The clone at `root` of a repository on the embedded AWS."""

    local: LocalAws
    root: Path

    @property
    def project(self) -> Project:
        """The project, read from the files as they are now."""
        return Project(self.root)

    @classmethod
    def create(
        cls, local: LocalAws, root: Path, environments: list[dict[str, str]], models: Path | None = None
    ) -> "Workspace":
        """Write a new repository with the example model, or with the models of a folder, and configure its remote."""
        init(root, "acme", example=models is None)
        if models:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(models, root / "models", ignore=ignored, dirs_exist_ok=True)
        factory = {
            "name": "acme",
            "environments": environments,
            "delivery": {
                "account": TOOLING[0],
                "region": TOOLING[1],
                "source": CONNECTION,
                "repository": REPOSITORY,
                "install": INSTALL,
                "test": TEST,
            },
        }
        (root / "factory.yaml").write_text(yaml.safe_dump(factory, sort_keys=False))
        workspace = cls(local, root)
        workspace.git("init", "--quiet", "--initial-branch", "main")
        workspace.git("remote", "add", "origin", str(local.repositories.create(REPOSITORY)))
        return workspace

    def bootstrap(self) -> None:
        """Bootstrap every account. The profile of the tooling account is `acme-delivery`."""
        bootstrap(self.local, self.project.accounts | {"acme-delivery": TOOLING}, trust=TOOLING[0])

    def deploy_pipeline(self) -> None:
        """Deploy the pipeline's stack. Later changes, also of the pipeline itself, are deployed by pushes."""
        arguments = ["deploy", f"{self.project.factory.name}-delivery", "--require-approval", "never"]
        cdk(self.local, arguments, cwd=self.root, env={"CDK_VALIDATION": "false"})

    def change(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the clone. Raises ValueError when the file does not contain `old`."""
        text = (self.root / path).read_text()
        if old not in text:
            raise ValueError(f"{path} has no {old!r}")
        (self.root / path).write_text(text.replace(old, new))

    def push(self, message: str) -> str:
        """Commit all changes and push; returns the commit id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        """Run git in the clone; returns its output."""
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.root), *author, *arguments]
        completed = subprocess.run(command, check=True, capture_output=True, text=True)
        return completed.stdout.strip()
