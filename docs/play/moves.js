"use strict";

/*
 * Layers that only move numbers. An output is linked to pixels: { y: [i, j], x: [p, q], factor } with factor the
 * derivative of y[i,j] with respect to x[p,q]. Pure functions, no document.
 */
const Moves = (() => {
  /** dx: for every pixel the sum over its links of dy times the factor of that name. */
  const backward = (x, dy, links, factor) => {
    const dx = x.map((row) => row.map(() => 0));
    for (const link of links) dx[link.x[0]][link.x[1]] += link[factor] * dy[link.y[0]][link.y[1]];
    return dx;
  };

  const same = (left, right) => left[0] === right[0] && left[1] === right[1];

  /** The links of the picked number: of an output (array "y") or of a pixel ("x"). */
  const of = (links, { array, place }) => links.filter((link) => same(link[array], place));

  return Object.freeze({ backward, of, same });
})();
