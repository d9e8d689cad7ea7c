"""Convolution: zeros around the image, zeros between the gradients."""
from __future__ import annotations

from exercises.catalogue.convolution import TELLING, build, definition, setups
from exercises.exercise import Cut, Exercise, Mutant, Part
from exercises.tasks.layer import LayerTask

TOTAL = "total = max(0, (-(-size // stride) - 1) * stride + kernel - size)"
HALVES = "return total // 2, total - total // 2"
BETWEEN = "dilated[:, ::stride[0], ::stride[1], :] = da"
FIRST = "first = reach - 1 - before"

EXERCISE = Exercise(
    "stride_and_padding", "Zeros around, zeros between: padding and stride",
    "Count the zeros that SAME puts around an image, and those that the gradient needs between and around.",
    "07_convolution",
    (Part("engine.layers.padding", ("_same", "zeros_around")),
     Part("engine.layers.conv2d", ("Conv2D", "dilate", "input_gradient"))),
    (Cut("_same", "total =", "(before, after), whole numbers: how many zeros make ceil(size / stride) outputs of a "
         "kernel of this size; the odd one comes after. The last output begins at (outputs - 1) stride and reaches "
         "kernel numbers far. There may be none to add, never fewer than 0.", last="return"),
     Cut("dilate", "dilated[:", "da in its places of the zeros `dilated`: stride - 1 rows and columns of zeros stay "
         "between its own. dilated is (N, s (OH - 1) + 1, s (OW - 1) + 1, K)."),
     Cut("input_gradient", "first =", "how many zeros come before da: reach - 1, reach being the kernel's size, less "
         "what the padding put before x (before), whose gradient nobody asks for.")),
    LayerTask(build, definition, affine=True), setups,
    (Mutant("the odd zero first", "This is what comes out when the odd zero is put before the image: TensorFlow's SAME "
            "puts it after.", {HALVES: "return total - total // 2, total // 2"}),
     Mutant("zeros on one side", "This is what comes out when all zeros are put after the image: half of them go "
            "before.",
            {HALVES: "return 0, total"}),
     Mutant("stride forgotten in SAME", "This is what comes out when kernel - 1 zeros are put around, whatever the "
            "stride is: with a stride above 1 fewer may do, so that the kernel lies elsewhere.",
            {TOTAL: "total = kernel - 1"}),
     Mutant("outputs rounded down", "This is what comes out when there are size // stride outputs: SAME has "
            "ceil(size / stride).", {TOTAL: TOTAL.replace("-(-size // stride)", "size // stride")}),
     Mutant("not dilated", "This is what comes out when da is put together at the beginning: between its rows and "
            "columns belong stride - 1 zeros.", {BETWEEN: "dilated[:, :da.shape[1], :da.shape[2], :] = da"}),
     Mutant("rows' stride for both", "This is what comes out when the columns get the rows' stride: the two may differ."
            "",
            {BETWEEN: "dilated[:, ::stride[0], ::stride[0], :] = da"}),
     Mutant("padding forgotten in backward", "This is what comes out when the padding of x is not taken off: dx is "
            "that of the padded image, moved by the zeros before it.", {FIRST: "first = reach - 1"}),
     Mutant("one zero too few", "This is what comes out with one zero too few before da: a kernel of `reach` numbers "
            "still touches da with its last one when reach - 1 of them lie before it.",
            {FIRST: "first = reach - 2 - before"})), TELLING)
