"use strict";

/* The convolution: its options, and three zoom levels of one state. */
Views.add({
  id: "convolution",
  name: "Convolution",
  create: () => Frame.create({
    title: "Convolution",
    look: "what a number is multiplied by on the way forward, the gradient is multiplied by on the way back; so the " +
          "kernel returns rotated by 180 degrees, (3.38) to (3.41), and the image meets the gradient of the output, " +
          "(3.42).",
    derivation: "engine/layers/conv2d.py",
    model: ConvolutionModel.create(),
    options: [
      ["Padding", "padding", [["SAME", "SAME"], ["VALID", "VALID"]]],
      ["Stride", "stride", Frame.wholeNumbers(1, 3)],
      ["Kernel", "kernel", Frame.wholeNumbers(1, 4, (n) => `${n}\u00d7${n}`)],
      ["Image rows", "rows", Frame.wholeNumbers(3, 6)],
      ["Image columns", "columns", Frame.wholeNumbers(3, 6)],
    ],
    mistake: "The mistake beside it: kernel not rotated",
    levels: [["layer", "1 The layer", ConvolutionLayer.create],
             ["sliding", "2 The sliding kernel", ConvolutionSliding.create],
             ["number", "3 One number", ConvolutionNumber.create]],
  }),
});
