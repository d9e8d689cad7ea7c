"use strict";

/* The state of the convolution's view. A pixel's place is its place in X, with the zeros around x. */
const ConvolutionModel = (() => {
  const { corner } = Matrices;

  const inputs = (drawn, { rows, columns, kernel, stride, padding }) => {
    const { a } = Convolution.geometry({ rows, columns, kernelRows: kernel, kernelColumns: kernel, stride, padding });
    return { x: corner(drawn.x, rows, columns), W: corner(drawn.W, kernel, kernel), b: drawn.b,
             da: corner(drawn.da, a.rows, a.columns), stride, padding };
  };

  const shapes = ({ results: { sizes: { a, X } }, options: { kernel } }) =>
    ({ a: [a.rows, a.columns], X: [X.rows, X.columns], W: [kernel, kernel], b: [1, 1] });

  const refuse = ({ rows, columns, kernel, padding }) => (padding === "VALID" && Math.min(rows, columns) < kernel
    ? `The image is ${rows}\u00d7${columns} and the kernel ${kernel}\u00d7${kernel}: without zeros around the image ` +
      "(VALID) the kernel fits nowhere. Choose SAME, a larger image or a smaller kernel."
    : "");

  const create = () => Model.create(TRACES.convolution, {
    inputs, compute: Convolution.compute, shapes, refuse, mistaken: "X",
    start: { array: "a", places: { a: [1, 2], X: [2, 3], W: [0, 0], b: [0, 0] } },
  });

  /** Whether X[p,q] is a pixel of x and not a zero around it. */
  const isPixel = ({ results: { sizes: { top, left, rows, columns } } }, p, q) =>
    p >= top && q >= left && p < top + rows && q < left + columns;

  return Object.freeze({ create, isPixel });
})();
