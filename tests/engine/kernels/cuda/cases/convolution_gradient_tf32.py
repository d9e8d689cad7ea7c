"""Kernel gradients in TF32 of numbers that are TF32, so that nothing is lost: tails, parts; float64 beside them."""
from engine.kernels import correlate_kernel_gradient
from engine.kernels.convolution import output_size
from engine.kernels.cuda.precision import use_precision

# x, kernel, outputs, stride, padding
SHAPES = [
    ((2, 9, 8, 4), (3, 3), 132, (1, 1), ((1, 1), (1, 1))),
    ((1, 5, 6, 4), (3, 3), 68, (1, 1), ((1, 1), (1, 1))),
    ((2, 17, 16, 16), (3, 3), 12, (1, 1), ((1, 1), (1, 1))),  # 544 pixels: two parts; two blocks of rows
    ((1, 9, 8, 12), (3, 3), 8, (2, 1), ((0, 0), (0, 0))),
    ((1, 6, 5, 4), (5, 4), 12, (1, 2), ((4, 1), (0, 3))),
    ((1, 5, 13, 4), (1, 1), 8, (1, 1), ((0, 0), (0, 0))),
    ((0, 4, 5, 4), (3, 3), 8, (1, 1), ((1, 1), (1, 1))),
]


def tf32(*arguments):
    with use_precision("tf32"):
        return correlate_kernel_gradient(*arguments)


tf32.dispatch = correlate_kernel_gradient.dispatch


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        rows, columns = (output_size(*each) for each in zip(shape[1:3], size, stride, padding, strict=True))
        x, da = (rng.integers(-32, 33, each) / 16 for each in (shape, (shape[0], rows, columns, outputs)))
        yield tf32, (x, da, size, stride, padding)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("cp_async_wait<STAGES - 2>()",
     "cp_async_wait<STAGES - 1>()",
     r"unfinished: .* reads shared memory\[\d+\], to which"),
    ("    __syncthreads();  // the corners are there\n",
     "",
     r"race on shared corners\[\d+\]"),
    ("    __syncthreads();  // and read\n",
     "",
     r"race on shared corners\[\d+\]"),
    ("        __syncthreads();  // this stage and the corners are there, and the stage before it is read\n",
     "",
     r"race on shared (memory|corners)\[\d+\]"),
    ("        find(step + 3);",
     "        find(step + 2);",
     r"race on shared corners\[\d+\]"),
    ("blockIdx.z * pixels_of_part",
     "blockIdx.z * (pixels_of_part + 1)",
     WRONG),
    ("min(begin + pixels_of_part, pixels)",
     "begin + pixels_of_part",
     r"outside of da: \S+ reads da\[\d+\]"),
    ("pixel < end && o",
     "o",
     r"outside of da: \S+ reads da\[\d+\]"),
    ("(end - begin + DEEP - 1) / DEEP",
     "(end - begin) / DEEP",
     WRONG),
    ("meets(corner, u, v, height, width)",
     "meets(corner, u, v, height, width + 1)",
     r"outside of x: \S+ reads x\[\d+\]"),
    ("a[i][1] = to_tf32(from[8]);\n                a[i][2] = to_tf32(from[4 * ROW_A])",
     "a[i][2] = to_tf32(from[8]);\n                a[i][1] = to_tf32(from[4 * ROW_A])",
     WRONG),
    ("(long long)blockIdx.z * rows * outputs",
     "0",
     r"race on parts\[\d+\]: \S+ writes, \S+ writes"),
    ("if (row < rows && o",
     "if (o",
     r"outside of parts: \S+ writes parts\[\d+\]"),
]
