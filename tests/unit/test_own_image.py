"""The example of an own image: its files fit together, and what it installs is what jobs and endpoint need."""

import re
from pathlib import Path

from model_factory.ops.image_check.inside.libraries import MINIMUM, _numbers

FOLDER = Path(__file__).parents[2] / "examples" / "images" / "base"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
INSTRUCTIONS = [
    tuple(line.split(maxsplit=1))
    for line in re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]


def of(name):
    return [arguments for instruction, arguments in INSTRUCTIONS if instruction == name]


def test_dockerfile_has_known_instructions_and_copies_files_that_exist():
    assert {instruction for instruction, _ in INSTRUCTIONS} == {"FROM", "RUN", "COPY", "ENV"}
    copied = [word for arguments in of("COPY") for word in arguments.split()[:-1] if not word.startswith("--")]
    assert copied == ["requirements.lock", "serve"]
    assert [name for name in copied if not (FOLDER / name).is_file()] == []


def test_base_has_python_of_embedded_aws():
    assert of("FROM") == [f"python:{(FOLDER / '.python-version').read_text().strip()}-slim"]


def test_lock_has_all_requirements_with_hashes():
    text = (FOLDER / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))
    wanted = re.findall(r"^[a-z][a-z0-9-]*", (FOLDER / "requirements.txt").read_text(), re.MULTILINE)
    assert set(wanted) == {*MINIMUM, "gunicorn"}
    assert {name for name in wanted if name not in locked} == set()
    assert [name for name, least in MINIMUM.items() if _numbers(locked[name]) < _numbers(least)] == []
    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text


def test_serve_becomes_the_server_on_port_of_sagemaker():
    path = FOLDER / "serve"
    assert path.stat().st_mode & 0o111
    line = path.read_text().replace("\\\n", "").splitlines()[-1]
    assert line.startswith('exec gunicorn --bind "0.0.0.0:${SAGEMAKER_BIND_TO_PORT:-8080}" ')
    assert line.endswith(" jobs.wsgi:app")
