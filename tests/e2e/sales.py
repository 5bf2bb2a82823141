"""Generated records of the model `sales`."""

import numpy as np
import pandas as pd


def records(rows: int = 1500, seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    """Labelled records; the label depends on x and on the colour."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, rows)
    colour = rng.choice(["red", "green", "blue"], rows)
    noise = rng.normal(0, 1, rows)
    return pd.DataFrame(
        {
            "x": x.round(4),
            "y": noise.round(4),
            "colour": colour,
            "sold": ((x + (colour == "red") + noise / 2) > shift + 0.5) * 1,
        }
    )
