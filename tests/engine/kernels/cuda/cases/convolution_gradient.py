"""Kernel gradients with many results a thread: tails of pixels, rows and channels; one number at a time and four."""
from engine.kernels import correlate_kernel_gradient
from engine.kernels.convolution import output_size

# x, kernel, outputs, stride, padding
SHAPES = [
    ((2, 9, 8, 4), (3, 3), 68, (1, 1), ((1, 1), (1, 1))),
    ((2, 17, 16, 16), (3, 3), 12, (1, 1), ((1, 1), (1, 1))),  # 544 pixels: two parts; two blocks of rows
    ((2, 17, 16, 3), (3, 3), 5, (1, 1), ((1, 1), (1, 1))),
    ((1, 9, 8, 15), (3, 3), 66, (2, 1), ((0, 0), (0, 0))),
    ((2, 9, 4, 7), (3, 2), 5, (2, 3), ((0, 0), (0, 0))),
    ((1, 6, 5, 4), (5, 4), 8, (1, 2), ((4, 1), (0, 3))),
    ((0, 4, 5, 4), (3, 3), 8, (1, 1), ((1, 1), (1, 1))),
]


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        rows, columns = (output_size(*each) for each in zip(shape[1:3], size, stride, padding, strict=True))
        x, da = rng.normal(size=shape), rng.normal(size=(shape[0], rows, columns, outputs))
        yield correlate_kernel_gradient, (x, da, size, stride, padding)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("    __syncthreads();  // the corners are there\n",
     "",
     r"race on shared corners\[\d+\]"),
    ("        __syncthreads();  // the tiles are filled\n        find(first + 2 * DEEP);",
     "        find(first + 2 * DEEP);\n        __syncthreads();",
     r"race on shared corners\[\d+\]"),
    ("        __syncthreads();  // the tiles are filled\n",
     "",
     r"race on shared tile_[ad]\[\d+\]: .*"),
    ("        __syncthreads();  // and read\n",
     "",
     r"race on shared tile_[ad]\[\d+\]: .* writes, .* reads"),
    ("        find(first + 2 * DEEP);",
     "        find(first + DEEP);",
     r"race on shared corners\[\d+\]"),
    ("blockIdx.z * pixels_of_part",
     "blockIdx.z * (pixels_of_part - 1)",
     WRONG),
    ("min(begin + pixels_of_part, pixels)",
     "begin + pixels_of_part",
     r"outside of da: \S+ reads da\[\d+\]"),
    ("pixel < end && o",
     "o",
     r"outside of da: \S+ reads da\[\d+\]"),
    ("meets(corner, u, v, height, width)",
     "meets(corner, u, v, height, width + 1)",
     r"outside of x: \S+ reads x\[\d+\]"),
    ("number % HIGH / 4].v[number % 4 + q]",
     "number % HIGH / 4].v[3 - number % 4 - q]",
     "outside of an array's dimension|" + WRONG),
    ("(long long)blockIdx.z * rows * outputs",
     "0",
     r"race on parts\[\d+\]: \S+ writes, \S+ writes"),
    ("if (of_row >= rows) continue;",
     "",
     r"outside of parts: \S+ writes parts\[\d+\]"),
    ("o + q < outputs",
     "o + q <= outputs",
     r"race on parts\[\d+\]: LINE writes, LINE writes"),
    ("if (WIDTH == 4 && o < outputs)",
     "if (WIDTH == 4)",
     r"race on parts\[\d+\]: LINE writes, LINE writes"),
]
