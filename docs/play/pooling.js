"use strict";

/*
 * The arithmetic of MaxPool for one image and one channel. Pure functions, no document. As in engine/layers/pooling.py,
 * a window lies only where it fits whole, and of equal pixels the first counts.
 */
const Pooling = (() => {
  const { build, inner } = Matrices;

  const outputs = ({ rows, columns, size, stride }) =>
    [rows, columns].map((pixels) => Math.floor((pixels - size) / stride) + 1);

  /** The pixels of the window of the output i, j, in order. */
  const pixelsOf = (i, j, { size, stride }) =>
    build(size, size, (u, v) => [stride * i + u, stride * j + v]).flat();

  /** Every output with every pixel of its window. factor: the derivative of y by x, 1 for the first largest pixel. */
  const links = ({ x, size, stride }) => {
    const [rows, columns] = outputs({ rows: x.length, columns: x[0].length, size, stride });
    return build(rows, columns, (i, j) => {
      const pixels = pixelsOf(i, j, { size, stride });
      const largest = Math.max(...pixels.map(([p, q]) => x[p][q]));
      const first = pixels.findIndex(([p, q]) => x[p][q] === largest);
      return pixels.map(([p, q], k) => ({ y: [i, j], x: [p, q], place: k, factor: Number(k === first),
                                          mistaken: Number(x[p][q] === largest) }));
    }).flat(2);
  };

  const forward = ({ x, size, stride }) => {
    const [rows, columns] = outputs({ rows: x.length, columns: x[0].length, size, stride });
    return build(rows, columns, (i, j) => Math.max(...pixelsOf(i, j, { size, stride }).map(([p, q]) => x[p][q])));
  };

  /** y, the place of the first largest pixel in its window, dx, and dx with the mistake that pays all of a tie. */
  const compute = ({ x, dy, size, stride }) => {
    const found = links({ x, size, stride });
    const y = forward({ x, size, stride });
    const place = y.map((row) => row.map(() => 0));
    found.filter(({ factor }) => factor === 1).forEach((link) => { place[link.y[0]][link.y[1]] = link.place; });
    return { links: found, y, place, dx: Moves.backward(x, dy, found, "factor"),
             mistaken: Moves.backward(x, dy, found, "mistaken") };
  };

  /** L = sum of dy y, the gradient of which with respect to y is dy. */
  const loss = (x, { dy, size, stride }) => inner(dy, forward({ x, size, stride }));

  return Object.freeze({ outputs, compute, loss });
})();
