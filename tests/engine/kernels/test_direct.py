"""The direct convolution: its blocks and its columns matrix."""
from engine.kernels.cpu.direct import BLOCK_BYTES, Geometry


def test_the_columns_matrix_is_bounded_whatever_the_batch():
    for images in (1, 64):
        geometry = Geometry((images, 256, 256, 32), (3, 3), (1, 1), ((1, 1), (1, 1)))
        for n, rows in geometry.blocks(4, 32):
            pixels = (n.stop - n.start) * (rows.stop - rows.start) * 256
            assert pixels * geometry.taps * 4 <= BLOCK_BYTES
