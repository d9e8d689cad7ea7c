"use strict";

/* The arithmetic of Upsample for one image and one channel: every pixel, factor x factor times. Pure functions. */
const Upsampling = (() => {
  const { build, inner } = Matrices;

  const forward = (x, factor) => build(factor * x.length, factor * x[0].length,
                                       (i, j) => x[Math.floor(i / factor)][Math.floor(j / factor)]);

  /** Every output with the pixel that it copies; the mistake takes the mean over the copies for the sum. */
  const links = (x, factor) => build(factor * x.length, factor * x[0].length, (i, j) => ({
    y: [i, j], x: [Math.floor(i / factor), Math.floor(j / factor)], factor: 1, mistaken: 1 / factor ** 2,
  })).flat();

  const compute = ({ x, dy, factor }) => {
    const found = links(x, factor);
    return { links: found, y: forward(x, factor), dx: Moves.backward(x, dy, found, "factor"),
             mistaken: Moves.backward(x, dy, found, "mistaken") };
  };

  const loss = (x, { dy, factor }) => inner(dy, forward(x, factor));

  return Object.freeze({ compute, loss });
})();
