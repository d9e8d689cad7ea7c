"use strict";

/*
 * The arithmetic of a two-layer network with least squares, for one sample. Pure functions, no document.
 *
 * The letters are those of the thesis's Algorithms 1 and 2; a sample is a row, as in engine/layers/dense.py, so that a
 * product of the thesis's is transposed here: a1 = o0 W1 + b1. Arrays are matrices: x, biases and outputs have one row.
 */
const Network = (() => {
  const { build } = Matrices;

  /** sigma, and its derivative, which can be written with its value alone. */
  const SIGMA = {
    ReLU: { value: (a) => Math.max(a, 0), slope: (o) => (o > 0 ? 1 : 0) },
    sigmoid: { value: (a) => 1 / (1 + Math.exp(-a)), slope: (o) => o * (1 - o) },
  };

  const entries = (matrix, value) => matrix.map((row, i) => row.map((number, j) => value(number, i, j)));

  const product = (left, right) => build(left.length, right[0].length, (i, j) =>
    left[i].reduce((total, number, k) => total + number * right[k][j], 0));

  const transposed = (matrix) => build(matrix[0].length, matrix.length, (i, j) => matrix[j][i]);

  const plus = (matrix, bias) => entries(matrix, (number, i, j) => number + bias[0][j]);

  /** Algorithm 1 and the loss, l = 1/2 sum of (yhat - y)^2. yhat is o2, and a2 as well: gamma is the identity here. */
  const forward = ({ x, W1, b1, W2, b2, y, sigma }) => {
    const a1 = plus(product(x, W1), b1);
    const o1 = entries(a1, SIGMA[sigma].value);
    const o2 = plus(product(o1, W2), b2);
    const l = o2[0].reduce((total, number, k) => total + (number - y[0][k]) ** 2, 0) / 2;
    return { o0: x, a1, o1, a2: o2, o2, l };
  };

  /** Algorithm 2, lines 3 to 6, of one layer: from the gradient of its output and the derivative of its activation. */
  const layer = (doutput, slopes, input, W) => {
    const G = entries(doutput, (number, i, j) => number * slopes[i][j]);
    return { G, dW: product(transposed(input), G), dinput: product(G, transposed(W)) };
  };

  /** Everything that the two algorithms write. */
  const compute = (inputs) => {
    const { W1, W2, y, sigma } = inputs;
    const results = forward(inputs);
    const { o0, o1, o2 } = results;
    const do2 = entries(o2, (number, i, j) => number - y[i][j]);
    const second = layer(do2, entries(o2, () => 1), o1, W2);
    const first = layer(second.dinput, entries(o1, SIGMA[sigma].slope), o0, W1);
    return { ...results, do2, da2: second.G, db2: second.G, dW2: second.dW, do1: second.dinput, da1: first.G,
             db1: first.G, dW1: first.dW, do0: first.dinput };
  };

  /**
   * Line 5 as printed, G o_{h-1} element by element: null where they have not equally many numbers. An array library
   * repeats the one row for every row of W: that is what an update of W would subtract.
   */
  const printedOuter = (G, input) => (G[0].length !== input[0].length ? null
    : build(input[0].length, G[0].length, (i, j) => G[0][j] * input[0][j]));

  /** Line 6 as printed, G W_h element by element: as many numbers as W has; the sum over each row is missing. */
  const printedBack = (G, W) => entries(W, (number, i, j) => number * G[0][j]);

  return Object.freeze({ SIGMA, forward, compute, printedOuter, printedBack });
})();
