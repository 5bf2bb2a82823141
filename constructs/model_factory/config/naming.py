"""Checks of names that need all configuration files: lengths, and names and beginnings that two parts would share."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..core.names import EnvironmentNames
from .factory import FactoryConfig
from .loading import Mistake, line_of

LONGEST_BUCKET = 63


def naming_mistakes(factory: FactoryConfig, models: Iterable[str], *, path: Path) -> list[Mistake]:
    """Names that AWS would refuse as too long, stacks with one name, and environments of which one has the other's beginning.

    No file is read but `path`.

    Args:
        factory: The content of factory.yaml.
        models: Names of the models.
        path: factory.yaml, for the lines of the mistakes.
    """
    models = list(models)
    return [
        *_long_buckets(factory, path),
        *_long_models(factory, models, path),
        *_shared(factory, models, path),
        *_nested(factory, path),
    ]


def _long_buckets(factory: FactoryConfig, path: Path) -> Iterator[Mistake]:
    where: list[tuple[EnvironmentNames, str, int | None]] = [
        (
            factory.names(each),
            f"shorten `name` or the environment {each.name!r}",
            line_of(path, "environments", index, "name"),
        )
        for index, each in enumerate(factory.environments)
    ]
    if factory.delivery:
        where.append((factory.delivery_names(factory.delivery), "shorten `name`", line_of(path, "name")))
    for names, advice, line in where:
        bucket = names.bucket("artifacts")
        if len(bucket) > LONGEST_BUCKET:
            message = f"bucket {bucket!r} has {len(bucket)} characters, S3 allows {LONGEST_BUCKET}; {advice}"
            yield Mistake(path, line, message)


def _long_models(factory: FactoryConfig, models: Iterable[str], path: Path) -> Iterator[Mistake]:
    for index, environment in enumerate(factory.environments):
        names = factory.names(environment)
        for model in models:
            prefix = names.model(model).prefix
            if len(prefix) > names.longest_model_prefix:
                yield Mistake(
                    path,
                    line_of(path, "environments", index, "name"),
                    f"names of model {model!r} in {environment.name!r} would start with {prefix!r}, {len(prefix)} characters "
                    f"of at most {names.longest_model_prefix} in {environment.region}; shorten one of the three parts",
                )


def _shared(factory: FactoryConfig, models: Iterable[str], path: Path) -> Iterator[Mistake]:
    """Two parts of the app with one name: `dev` with the model `eu-churn`, and `dev-eu` with the model `churn`."""
    taken: dict[str, str] = {}
    for name, what, line in _parts(factory, models, path):
        if name in taken:
            yield Mistake(
                path, line, f"{taken[name]} and {what} would both be called {name!r}; rename an environment or a model"
            )
        taken.setdefault(name, what)


def _nested(factory: FactoryConfig, path: Path) -> Iterator[Mistake]:
    """Environments such as `dev` and `dev-eu` in one account and region.

    Rules and policies of an environment are about all names that start with `<factory>-<environment>-`, also of models that are
    added later: an event of `dev-eu` would reach the rules of `dev` (docs/decisions/0072-names-of-neighbours-do-not-nest.md).
    """
    places = [factory.delivery_names(factory.delivery)] if factory.delivery else []
    places += [names] if (names := factory.anchor_names) else []
    places += [factory.names(each) for each in factory.environments]
    for outer in places:
        for inner in places:
            if (inner.account, inner.region) != (outer.account, outer.region):
                continue
            if inner.environment.startswith(f"{outer.environment}-"):
                index = next(i for i, each in enumerate(factory.environments) if each.name == inner.environment)
                joined = inner.environment.replace("-", "")
                yield Mistake(
                    path,
                    line_of(path, "environments", index, "name"),
                    f"{inner.environment!r} is in the account and region of {outer.environment!r}, whose rules and policies are "
                    f"about every name that starts with '{outer.prefix}-'; choose a name such as {joined!r}, or another account",
                )


def _parts(factory: FactoryConfig, models: Iterable[str], path: Path) -> Iterator[tuple[str, str, int | None]]:
    """Stacks, and stages of delivered environments: name, what it is, and the line of its environment."""
    if factory.delivery:
        yield factory.delivery_names(factory.delivery).delivery_pipeline, "the delivery", line_of(path, "delivery")
    for index, environment in enumerate(factory.environments):
        names, line = factory.names(environment), line_of(path, "environments", index, "name")
        if environment in factory.delivered:
            yield environment.name, f"the stage of {environment.name!r}", line
        yield names.foundation_stack, f"the shared resources of {environment.name!r}", line
        for model in models:
            yield names.model(model).stack, f"model {model!r} in {environment.name!r}", line
