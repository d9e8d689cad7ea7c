"""Max-pooling: windows side by side, apart, over each other; ties; NaN; rows and columns left over; no images."""
import numpy as np

from engine.kernels import max_pool, max_pool_gradient
from engine.kernels.convolution import output_size

# x, window, stride
SHAPES = [((2, 6, 8, 3), (2, 2), (2, 2)), ((3, 7, 5, 2), (2, 2), (2, 2)), ((2, 7, 9, 3), (3, 2), (2, 1)),
          ((1, 5, 5, 4), (1, 1), (2, 2)), ((2, 16, 17, 2), (16, 16), (1, 1)), ((1, 9, 9, 2), (2, 2), (3, 4)),
          ((2, 6, 1, 1), (2, 1), (2, 1)), ((1, 5, 6, 90), (3, 3), (1, 2)), ((0, 4, 6, 2), (2, 2), (2, 2)),
          ((1, 2, 2, 1), (2, 2), (2, 2))]


def cases(rng):
    for shape, size, stride in SHAPES:
        x = rng.normal(size=shape)
        yield max_pool, (x, size, stride)
        yield max_pool, (np.round(2 * x), size, stride)
        yield max_pool, (np.where(rng.random(shape) < 0.2, np.nan, x), size, stride, False)
        height, width = (output_size(shape[1 + axis], size[axis], stride[axis], (0, 0)) for axis in (0, 1))
        dy = rng.normal(size=(shape[0], height, width, shape[3]))
        places = rng.integers(0, size[0] * size[1], dy.shape).astype("uint8")
        yield max_pool_gradient, (dy, places, shape, size, stride)
    nan = np.array([[3.0, 3.0, np.nan, 1.0], [3.0, 2.0, 5.0, 0.0], [1.0, 2.0, 1.0, 9.0], [4.0, np.nan, 9.0, 9.0]])
    yield max_pool, (nan.reshape(1, 4, 4, 1), (2, 2), (2, 2))


WRONG = "Not equal to tolerance"
PLANTED = [
    ("u < window_height;",
     "u <= window_height;",
     WRONG + "|" + r"outside of x: "),
    ("pixel > largest",
     "pixel >= largest",
     WRONG),
    ("larger || pixel != pixel",
     "larger",
     WRONG),
    ("u * window_width + v;",
     "u * window_height + v;",
     WRONG),
    ("if (place) place[i]",
     "place[i]",
     r"outside of all arrays: LINE writes"),
    ("    if (k >= out_width * channels) return;\n",
     "\n",
     r"outside of y: |race on y\[\d+\]|outside of x: "),
    ("right / stride_right, out_width - 1",
     "right / stride_right, out_width",
     WRONG + "|" + r"outside of place: "),
    ("(right - window_width) / stride_right + 1",
     "(right - window_width) / stride_right",
     WRONG),
    ("down - window_height) / stride_down + 1",
     "down - window_height) / stride_down + 2",
     WRONG),
    ("    if (k >= width * channels) return;\n",
     "\n",
     r"outside of dx: |race on dx\[\d+\]|outside of place: "),
    ("row += gridDim.y) {\n        long long image",
     "row++) {\n        long long image",
     r"race on dx\[\d+\]: .* writes, .* writes"),
]
