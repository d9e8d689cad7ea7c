"use strict";

/*
 * What the judge says of a max-pool. All pixels that are as large as the picked number move together: one of a tie
 * alone would meet a kink, where the loss has one slope upwards and another downwards.
 */
const PoolingJudge = (() => {
  const { difference: quotient, inner, sum } = Matrices;
  const H = 0.001; // less than what is between two levels, so that no other pixel becomes the largest

  const atLevel = (x, level) => x.map((row) => row.map((number) => Number(number === level)));

  const difference = (given, level) => {
    const chosen = atLevel(given.x, level);
    const moved = (h) => given.x.map((row, p) => row.map((number, q) => number + h * chosen[p][q]));
    return quotient(([[h]]) => Pooling.loss(moved(h), given), [[0]], 0, 0, H);
  };

  /** Whether the pixel of this link is as large as the first largest, but not the first. */
  const tied = ({ factor, mistaken }) => factor !== mistaken;

  const judged = ({ picked: { array, place: [i, j] }, inputs: given, results, mistake }) => {
    const level = (array === "y" ? results.y : given.x)[i][j];
    const chosen = atLevel(given.x, level);
    const count = sum(chosen);
    return {
      said: "L is the sum of dy times y. " +
            `${count === 1 ? "One pixel is" : `${count} pixels are`} ${Numbers.text(level)}; they move together, ` +
            "since one of a tie alone would meet a kink. With them",
      difference: difference(given, level),
      values: [["the sum of their dx", inner(results.dx, chosen)],
               ...(mistake ? [["the sum of their dx with the mistake", inner(results.mistaken, chosen)]] : [])],
      hint: mistake && !results.links.some(tied)
        ? "No window has a tie, so the mistake does not show. Make two pixels of a window equal." : "",
    };
  };

  return Object.freeze({ difference, judged, tied });
})();
