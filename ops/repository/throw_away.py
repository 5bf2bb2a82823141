"""The throw-away model of `model-factory acceptance`: its files, and whether a model is one."""

from pathlib import Path

from model_factory.config import ModelConfig, load_model
from model_factory.config.fields import ModelName

from ..project import UsageError
from .names import check_name, model_folder

TEMPLATE = Path(__file__).parent / "template" / "acceptance"


def create_throw_away(root: Path, name: str) -> list[Path]:
    """Write `models/<name>/`; returns the paths. Raises UsageError when the name is invalid or the folder exists already."""
    check_name(name, ModelName)
    folder = model_folder(root, name)
    paths: list[Path] = []
    for file in ("model.yaml", "model.py"):
        text = (TEMPLATE / file).read_text(encoding="utf-8")
        paths.append(folder / file)
        paths[-1].write_text(text.replace("name: acceptance\n", f"name: {name}\n"), encoding="utf-8")
    return paths


def check_throw_away(config: ModelConfig) -> None:
    """Raise UsageError unless the problem, the data and the retraining of a model are the throw-away model's."""
    wanted = load_model(TEMPLATE)
    if config.problem != wanted.problem or config.data != wanted.data:
        raise UsageError(
            f"{config.name} is not the throw-away model: `problem` or `data` differ. The command deletes all data and "
            "versions of its model; write a throw-away one: model-factory new acceptance --acceptance"
        )
    if config.retrain.cooldown or not config.retrain.on_drift:
        raise UsageError(
            f"{config.name}: the alarm has to start a training; set retrain.on_drift: true and cooldown: 0s"
        )
    if config.serving.mode != "realtime" or config.serving.capture_percent != 100:
        raise UsageError(
            f"{config.name}: the monitor has to see every request; set serving.mode: realtime and capture_percent: 100"
        )
