"""Convolutions with many results a thread: tails of pixels, channels and places, one number at a time and four."""
import numpy as np

from engine.kernels import correlate, relu

# x, kernel, outputs, stride, padding
SHAPES = [
    ((2, 9, 8, 4), (3, 3), 68, (1, 1), ((1, 1), (1, 1))),
    ((1, 16, 8, 8), (3, 3), 64, (1, 1), ((1, 1), (1, 1))),
    ((2, 9, 8, 3), (3, 3), 7, (1, 1), ((1, 1), (0, 2))),
    ((1, 9, 8, 12), (3, 3), 66, (2, 1), ((0, 0), (0, 0))),
    ((2, 9, 4, 7), (3, 2), 5, (2, 3), ((0, 0), (0, 0))),
    ((1, 6, 5, 4), (5, 4), 8, (1, 2), ((4, 1), (0, 3))),
    ((1, 3, 4, 92), (3, 3), 12, (1, 1), ((1, 1), (1, 1))),  # 828 places: parts of 288, 288 and 252
    ((1, 6, 5, 27), (4, 5), 5, (1, 2), ((2, 1), (0, 3))),  # 540 places: 288 and 252
    ((2, 9, 8, 128), (2, 2), 12, (1, 1), ((0, 1), (1, 0))),  # 512 places: 256 and 256; two or three tiles of each
    ((1, 4, 4, 124), (2, 2), 8, (1, 1), ((0, 1), (1, 0))),  # 496 places: one part
    ((0, 4, 5, 4), (3, 3), 8, (1, 1), ((1, 1), (1, 1))),
]


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        x, kernel, bias = (rng.normal(size=each) for each in (shape, (*size, shape[3], outputs), (outputs,)))
        yield correlate, (x, kernel, None, stride, padding)
        yield correlate, (x, kernel, bias, stride, padding, relu)
        yield correlate, (x, kernel, bias, stride, padding, np.square)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("blockIdx.z * depth_of_part",
     "blockIdx.z * (depth_of_part - 8)",
     WRONG),
    ("blockIdx.z * depth_of_part",
     "blockIdx.z * (depth_of_part + 8)",
     WRONG),
    ("min(begin + depth_of_part, depth)",
     "min(begin + depth_of_part - 8, depth)",
     WRONG),
    ("min(begin + depth_of_part, depth)",
     "min(begin + depth_of_part + 8, depth)",
     WRONG),
    ("min(begin + depth_of_part, depth)",
     "begin + depth_of_part",
     r"outside of kernel: \S+ reads kernel\[\d+\]"),
    ("y + blockIdx.z * pixels * outputs",
     "y",
     r"race on y\[\d+\]: \S+ writes, \S+ writes"),
    ("blockIdx.z * pixels * outputs",
     "blockIdx.z * (pixels - 1) * outputs",
     r"race on y\[\d+\]: \S+ writes, \S+ writes"),
    ("    __syncthreads();  // the corners are there\n",
     "",
     r"race on shared corners\[\d+\]"),
    ("        __syncthreads();  // the tiles are filled\n",
     "",
     r"race on shared tile_[aw]\[\d+\]: .*"),
    ("        __syncthreads();  // and read\n",
     "",
     r"race on shared tile_[aw]\[\d+\]: .* writes, .* reads"),
    ("thread < HIGH)",
     "thread < HIGH - 1)",
     r"unwritten: \S+ reads shared corners\[\d+\]"),
    ("corners[(l * THREADS + thread) * WIDTH / DEEP]",
     "corners[(l * THREADS + thread) / DEEP]",
     WRONG),
    ("meets(corner, u, v, height, width)",
     "meets(corner, u, v, height + 1, width)",
     r"outside of x: \S+ reads x\[\d+\]"),
    ("k < end && o",
     "o",
     r"outside of kernel: \S+ reads kernel\[\d+\]"),
    ("tile_a[k][r * 16 + row]",
     "tile_a[k][r * 16 + column]",
     WRONG),
    ("if (pixel >= pixels) continue;",
     "",
     r"outside of y: \S+ writes y\[\d+\]"),
    ("o + q < outputs",
     "o + q <= outputs",
     r"race on y\[\d+\]: LINE writes, LINE writes"),
    ("if (WIDTH == 4 && o < outputs)",
     "if (WIDTH == 4)",
     r"race on y\[\d+\]: LINE writes, LINE writes"),
    ("RELU && sum < 0",
     "sum < 0",
     WRONG),
]
