"""Every model in models/ keeps its contract: features row by row, training, predictions, and answers of the endpoint."""

from pathlib import Path

import pytest
from model_factory.testing import check_model, model_folders


@pytest.mark.parametrize("folder", model_folders(Path(__file__).parents[1] / "models"), ids=lambda folder: folder.name)
def test_model_keeps_its_contract(folder: Path) -> None:
    check_model(folder)
