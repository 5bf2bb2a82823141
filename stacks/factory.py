"""All stacks of a factory: a foundation per environment, a stack per model and environment, and the delivery."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aws_cdk import App, Duration, Stage

from model_factory.config import (
    ConfigError,
    Environment,
    FactoryConfig,
    Mistake,
    ModelConfig,
    line_of,
    load_factory,
    load_models,
    naming_mistakes,
)
from model_factory.config.delivery import Delivery
from model_factory.core.image import SCIKIT_LEARN, ImageError
from model_factory.core.regions import region_mistakes
from model_factory.definition import DefinitionError
from model_factory.model.job_code import JobCode, build_job_code, build_pipeline_code
from model_factory.own_pipeline.synthesis import Synthesized, checked_pipeline

from .anchor import AnchorStack
from .foundation import FoundationStack
from .model import ModelStack


class UserError(Exception):
    """The configuration files are well-formed but cannot be deployed; the message says where and why."""


def add_factory(app: App, *, factory: Path, models: Path) -> list[ModelStack]:
    """Add every stack to `app`.

    Args:
        app: The CDK app. Its output directory also gets the zips of the models' jobs.
        factory: factory.yaml.
        models: Folder with one folder per model.

    Returns:
        The stacks of the models, by environment in the order of promotion, then by model.

    Raises:
        ConfigError: A file cannot be read or has mistakes.
        UserError: The files are well-formed but cannot be deployed.
    """
    config = load_factory(factory)
    configs = load_models(models)
    if mistakes := naming_mistakes(config, configs, path=factory):
        raise ConfigError(mistakes)
    _check_regions(config, factory)
    _check_networks(config, configs, models)
    _check_retention(config, configs, models)
    codes = _Codes(configs, models, Path(app.outdir) / "jobs")
    stacks: list[ModelStack] = []
    promotes = any(model.promote == "model" for model in configs.values())
    delivered: list[tuple[Environment, Stage]] = []
    spot = any(model.training.spot for model in configs.values())
    peers = any(model.training.instance_count > 1 for model in configs.values())
    for environment in config.environments:
        scope: App | Stage = app
        if environment in config.delivered:
            scope = Stage(app, environment.name)
            delivered.append((environment, scope))
        foundation = FoundationStack(
            scope,
            config,
            environment,
            promotes=promotes,
            models=list(configs),
            images=_images(configs, environment.region),
            spot=spot,
            peers=peers,
            queued=_queued(configs),
        )
        for name, model in configs.items():
            try:
                stack = ModelStack(
                    scope,
                    config,
                    environment,
                    model,
                    code=codes.of(name, environment.region),
                    key=foundation.key,
                    vpc=foundation.vpc,
                    own_pipeline=codes.own_pipeline(name, environment.region),
                )
            except (DefinitionError, ImageError) as error:
                lines = str(error).splitlines()
                where = f"{models / name / 'model.yaml'}: in {environment.name}"
                raise UserError("\n".join(f"{where}: {line}" for line in lines)) from None
            stack.add_stack_dependency(foundation)
            stacks.append(stack)
    if config.anchor and (names := config.anchor_names):
        AnchorStack(app, config, config.anchor, names)
    if config.delivery:
        _add_delivery(app, config, config.delivery, delivered)
    return stacks


class _Codes:
    """The zips of the models' jobs, and the pipelines of models with a pipeline.py: one of each for all environments.

    An own pipeline may differ from region to region, as images do. A standard model's zip has no region.
    """

    def __init__(self, configs: dict[str, ModelConfig], models: Path, folder: Path) -> None:
        self._configs, self._models, self._folder = configs, models, folder
        self._zips: dict[tuple[str, str | None], JobCode] = {}
        self._own: dict[tuple[str, str], Synthesized] = {}
        for name, model in configs.items():
            if not model.pipeline:
                target = folder / f"{name}.zip"
                self._zips[name, None] = build_job_code(model, project=models / name, target=target)

    def own_pipeline(self, name: str, region: str) -> Synthesized | None:
        """The pipeline of a model with a pipeline.py. Raises ConfigError."""
        if not self._configs[name].pipeline:
            return None
        if (name, region) not in self._own:
            self._own[name, region] = checked_pipeline(self._configs[name], self._models / name, region)
        return self._own[name, region]

    def of(self, name: str, region: str) -> JobCode:
        """The zip of a model. Raises ConfigError."""
        if (own := self.own_pipeline(name, region)) is None:
            return self._zips[name, None]
        if (name, region) not in self._zips:
            # A folder, because `<name>-<region>` may be the name of another model.
            target = self._folder / name / f"{region}.zip"
            self._zips[name, region] = build_pipeline_code(
                own.evidence(self._configs[name], region), project=self._models / name, target=target
            )
        return self._zips[name, region]


def _add_delivery(
    app: App, config: FactoryConfig, delivery: Delivery, delivered: list[tuple[Environment, Stage]]
) -> None:
    """Add the stack of the delivery pipeline."""
    # Imported here: CDK's modules for pipelines take a second to load, and most synths have no delivery.
    from .delivery import DeliveryStack

    DeliveryStack(app, config, delivery, delivered)


def _queued(configs: Mapping[str, ModelConfig]) -> dict[str, Duration]:
    """Age at which the requests of asynchronous endpoints expire, by model."""
    asynchronous = {name: config.serving.async_ for name, config in configs.items() if config.serving.mode == "async"}
    return {name: Duration.days(queue.retention.days) for name, queue in asynchronous.items()}


def _images(configs: Mapping[str, ModelConfig], region: str) -> list[str]:
    """Images of the models that are not the default one. One that is not in the region is reported by its model's stack."""
    found: list[str] = []
    for config in configs.values():
        if config.training.image or config.training.framework != SCIKIT_LEARN:
            with suppress(ImageError):
                found.append(config.training.image_in(region))
    return found


def _check_regions(factory: FactoryConfig, path: Path) -> None:
    """Every region has what the stacks need there."""
    places: list[tuple[tuple[str | int, ...], str, bool]] = [
        (("environments", index, "region"), environment.region, False)
        for index, environment in enumerate(factory.environments)
    ]
    if factory.delivery:
        places.append((("delivery", "region"), factory.delivery.region, True))
    if factory.anchor:
        places.append((("anchor", "region"), factory.anchor.region, False))
    mistakes = [
        Mistake(path, line_of(path, *key), message)
        for key, region, delivery in places
        for message in region_mistakes(region, delivery=delivery)
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _check_networks(factory: FactoryConfig, models: dict[str, ModelConfig], folder: Path) -> None:
    """SageMaker cannot connect a serverless endpoint to a VPC, and one outside of the VPC would not be isolated."""
    networked = ", ".join(each.name for each in factory.environments if each.network != "none")
    files = [folder / name / "model.yaml" for name, model in models.items() if model.serving.mode == "serverless"]
    if networked and files:
        raise ConfigError(
            [
                Mistake(
                    path,
                    line_of(path, "serving", "mode"),
                    f"serving.mode is serverless, but SageMaker puts no serverless endpoint into a network, and "
                    f"factory.yaml has one in {networked}; use realtime, or take `network` out there",
                )
                for path in files
            ]
        )


def _reader(model: ModelConfig) -> str:
    """What reads the rows of a training for a long time."""
    if model.training.tuning:
        return f"tuning with {model.training.tuning.jobs} trials"
    return "a training on spot capacity"


def _limit(model: ModelConfig) -> str:
    limit = "training.max_wait" if model.training.spot else "training.max_runtime"
    return f"{limit}, or lower training.tuning.trials" if model.training.tuning else limit


def _check_retention(factory: FactoryConfig, models: dict[str, ModelConfig], folder: Path) -> None:
    """Captured requests stay until their labels can have arrived, and rows until a training on spot capacity has read them."""
    kept = [each.captured_retention for each in factory.environments if each.captured_retention]
    rows = [each.training_rows_retention for each in factory.environments if each.training_rows_retention]
    mistakes = [
        Mistake(
            path := folder / name / "model.yaml",
            line_of(path, "training", "max_wait")
            or line_of(path, "training", "spot")
            or line_of(path, "training", "tuning"),
            f"{_reader(model)} may take {model.training.longest_search}, but factory.yaml deletes its rows and checkpoints "
            f"after {min(rows).days} days; raise training_rows_retention there, or shorten {_limit(model)}",
        )
        for name, model in models.items()
        if rows and (model.training.spot or model.training.tuning) and min(rows) <= model.training.longest_search
    ]
    mistakes += [
        Mistake(
            path := folder / name / "model.yaml",
            line_of(path, "monitoring", "quality", "window"),
            f"monitoring.quality.window is {model.monitoring.quality.window.days} days, but factory.yaml deletes captured "
            f"requests after {min(kept).days}; raise captured_retention there, or shorten the window",
        )
        for name, model in models.items()
        if kept and min(kept) < model.monitoring.quality.window
    ]
    if mistakes:
        raise ConfigError(mistakes)
