"""docs/data_parallel.md: the table of what a step sends is what the engine works out."""
from pathlib import Path

import numpy as np
import pytest

from engine.mpi import bytes_of_step, seconds_of_step
from models.unet import unet
from models.vgg import vgg

PAGE = (Path(__file__).parents[1] / "docs" / "data_parallel.md").read_text(encoding="utf-8")
NETWORKS = {"VGG": vgg, "U-net": unet}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_is_worked_out(name):
    network = NETWORKS[name](rng=np.random.default_rng(0))
    for ranks in (2, 8, 64):
        seconds = " | ".join(f"{seconds_of_step(network, ranks, gigabits * 1e9 / 8):.3f}" for gigabits in (1, 10, 100))
        row = f"| {name} | {ranks} | {bytes_of_step(network, ranks) / 1e6:.1f} | {seconds} |"
        assert row in PAGE, row
