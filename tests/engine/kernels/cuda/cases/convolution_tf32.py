"""Convolutions in TF32 of numbers that are TF32, so that nothing is lost; float64 and other shapes beside them."""
import numpy as np

from engine.kernels import correlate, relu
from engine.kernels.cuda.precision import use_precision

# x, kernel, outputs, stride, padding
SHAPES = [
    ((2, 9, 8, 4), (3, 3), 132, (1, 1), ((1, 1), (1, 1))),
    ((1, 5, 6, 4), (3, 3), 68, (1, 1), ((1, 1), (1, 1))),
    ((1, 16, 8, 32), (3, 3), 64, (1, 1), ((1, 1), (1, 1))),
    ((1, 9, 8, 12), (3, 3), 8, (2, 1), ((0, 0), (0, 0))),
    ((1, 6, 5, 4), (5, 4), 12, (1, 2), ((4, 1), (0, 3))),
    ((1, 4, 5, 4), (1, 1), 8, (1, 1), ((0, 0), (0, 0))),
    ((1, 4, 5, 3), (3, 3), 8, (1, 1), ((1, 1), (1, 1))),
    ((2, 9, 8, 60), (3, 3), 12, (1, 1), ((1, 1), (1, 1))),  # 540 places: parts of 288 and 252, two tiles of each
    ((1, 5, 3, 92), (3, 3), 68, (1, 1), ((1, 1), (1, 1))),  # 828 places: 288, 288 and 252
    ((1, 4, 4, 124), (2, 2), 8, (1, 1), ((0, 1), (1, 0))),  # 496 places: one part
    ((0, 4, 5, 4), (3, 3), 8, (1, 1), ((1, 1), (1, 1))),
]


def tf32(*arguments):
    with use_precision("tf32"):
        return correlate(*arguments)


tf32.dispatch = correlate.dispatch


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        x, kernel, bias = (rng.integers(-32, 33, each) / 16 for each in (shape, (*size, shape[3], outputs), (outputs,)))
        yield tf32, (x, kernel, None, stride, padding)
        yield tf32, (x, kernel, bias, stride, padding, relu)
        yield tf32, (x, kernel, bias, stride, padding, np.square)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("blockIdx.z * depth_of_part",
     "blockIdx.z * (depth_of_part - DEEP)",
     WRONG),
    ("blockIdx.z * depth_of_part",
     "blockIdx.z * (depth_of_part + DEEP)",
     WRONG),
    ("min(begin + depth_of_part, depth)",
     "min(begin + depth_of_part - DEEP, depth)",
     WRONG),
    ("min(begin + depth_of_part, depth)",
     "min(begin + depth_of_part + DEEP, depth)",
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
    ("cp_async_wait<STAGES - 2>()",
     "cp_async_wait<STAGES - 1>()",
     r"unfinished: .* reads shared memory\[\d+\], to which"),
    ("        __syncthreads();  // this stage is there, and the one before it is read\n",
     "",
     r"race on shared memory\[\d+\]"),
    ("copy(first + (STAGES - 1) * DEEP);",
     "copy(first + STAGES * DEEP);",
     r"race on shared memory|unfinished: .* shared memory"),
    ("valid = place < end && meets(corners[l], u, v, height, width)",
     "valid = place < end",
     r"outside of x: \S+ reads x\[-\d+\]"),
    ("first + k < end && ",
     "",
     r"outside of kernel: \S+ reads kernel\[\d+\]"),
    ("&& first_output + o < outputs",
     "&& first_output + o <= outputs",
     r"outside of kernel: \S+ reads kernel\[\d+\]"),
    ("a[i][1] = to_tf32(from[8 * ROW_A]);\n                a[i][2] = to_tf32(from[4])",
     "a[i][2] = to_tf32(from[8 * ROW_A]);\n                a[i][1] = to_tf32(from[4])",
     WRONG),
    ("w[j][1] = to_tf32(from[4 * ROW_W])",
     "w[j][1] = to_tf32(from[4])",
     r"unwritten: \S+ reads shared memory\[\d+\]"),
    ("if (pixel >= pixels || o >= outputs) continue;",
     "if (o >= outputs) continue;",
     r"outside of y: \S+ writes y\[\d+\]"),
    ("if (pixel >= pixels || o >= outputs) continue;",
     "if (pixel >= pixels) continue;",
     r"race on y\[\d+\]: \S+ writes, \S+ writes"),
    ("if (RELU && right_sum < 0)",
     "if (right_sum < 0)",
     WRONG),
]
