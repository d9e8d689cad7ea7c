"""Products: tails of rows, columns and depth; both matrices as they are and as transposes of arrays; nothing to add."""
from engine.kernels import matrix_product

SHAPES = [(5, 37, 18), (16, 16, 16), (33, 3, 7), (1, 20, 1), (0, 3, 4), (3, 0, 4)]  # rows, depth, columns


def cases(rng):
    for rows, depth, columns in SHAPES:
        a, b = rng.normal(size=(rows, depth)), rng.normal(size=(depth, columns))
        for first in (a, a.T.copy().T):
            for second in (b, b.T.copy().T):
                yield matrix_product, (first, second)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("        __syncthreads();  // the tiles are filled\n",
     "",
     r"race on shared tile_[ab]\[\d+\]: .*"),
    ("        __syncthreads();  // and read\n",
     "",
     r"race on shared tile_[ab]\[\d+\]: .* writes, .* reads"),
    ("first_row + i < rows && ",
     "",
     r"outside of a: \S+ reads a\[\d+\]"),
    ("first_column + j < columns && first + of_b < depth",
     "first_column + j < columns",
     r"outside of b: \S+ reads b\[\d+\]"),
    ("i = FLIPPED_A ? fast : slow",
     "i = FLIPPED_B ? fast : slow",
     WRONG + r"|unwritten|race on shared tile_a|outside of a"),
    ("tile_b[k][fast];",
     "tile_b[fast][k];",
     WRONG),
    ("if (first_row + slow < rows && ",
     "if (",
     r"outside of y: \S+ writes y\[\d+\]"),
    ("first_column + fast < columns)",
     "first_column + fast <= columns)",
     r"race on y\[\d+\]: \S+ writes, \S+ writes"),
]
