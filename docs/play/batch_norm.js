"use strict";

/*
 * The arithmetic of BatchNorm in training, statistics="batch", for one channel. Pure functions, no document.
 *
 * The letters are those of engine/layers/batch_norm.py: M numbers x with the mean mu and the variance var,
 * s = 1 / sqrt(var + epsilon), g = dy c1 = dL/dxhat. x[k] reaches the loss in three ways, and dx[k] is their sum:
 *
 *   direct      s g[k]                            x[k] is in xhat[k]
 *   mean        dL/dm / M                         x[k] moves mu, and mu every xhat
 *   variance    dL/dv 2 (x[k] - mu) / M           x[k] moves var, and var every xhat
 */
const BatchNorm = (() => {
  const WAYS = ["direct", "mean", "variance"];

  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

  const forward = ({ x, c1, c2, epsilon }) => {
    const mu = sum(x) / x.length;
    const variance = sum(x.map((number) => (number - mu) ** 2)) / x.length;
    const s = 1 / Math.sqrt(variance + epsilon);
    const xhat = x.map((number) => (number - mu) * s);
    return { mu, var: variance, s, xhat, y: xhat.map((number) => c1 * number + c2) };
  };

  /** dx from those of the ways that are not left out. */
  const without = (ways, leftOut) =>
    ways.direct.map((_, k) => sum(WAYS.filter((way) => !leftOut.includes(way)).map((way) => ways[way][k])));

  /** Everything that the layer computes, and dx by way. */
  const compute = (inputs) => {
    const { x, dy, c1 } = inputs;
    const results = forward(inputs);
    const { mu, s, xhat } = results;
    const g = dy.map((gradient) => gradient * c1);
    const dm = -s * sum(g);
    const dv = -((s ** 3) / 2) * sum(g.map((gradient, k) => gradient * (x[k] - mu)));
    const ways = { direct: g.map((gradient) => s * gradient), mean: x.map(() => dm / x.length),
                   variance: x.map((number) => (dv * 2 * (number - mu)) / x.length) };
    return { ...results, g, dm, dv, ...ways, dx: without(ways, []),
             dc1: sum(dy.map((gradient, k) => gradient * xhat[k])), dc2: sum(dy) };
  };

  /** L = sum of dy y, whose gradient with respect to y is dy. */
  const loss = (inputs) => {
    const { y } = forward(inputs);
    return sum(inputs.dy.map((gradient, k) => gradient * y[k]));
  };

  return Object.freeze({ WAYS, compute, without, loss });
})();
