"use strict";

/*
 * Which numbers of a convolution have to do with each other: pure functions, no document.
 *
 * a[i,j] contains X[s i + u, s j + v] W[u,v] and b. So da[i,j] sends something to the gradients of exactly these, and
 * a gradient receives from the da of exactly those outputs in which its number occurs: (3.39), (3.40).
 */
const ConvolutionLinks = (() => {
  /** All (i, j, u, v) with the pixel p, q that W[u,v] lies on in the output i, j. */
  const meetings = ({ a, kernelRows, kernelColumns, stride }) => {
    const found = [];
    for (let i = 0; i < a.rows; i += 1) {
      for (let j = 0; j < a.columns; j += 1) {
        for (let u = 0; u < kernelRows; u += 1) {
          for (let v = 0; v < kernelColumns; v += 1) {
            found.push({ a: [i, j], W: [u, v], X: [stride * i + u, stride * j + v] });
          }
        }
      }
    }
    return found;
  };

  const same = (left, right) => left[0] === right[0] && left[1] === right[1];

  /** The meetings that the picked number takes part in. array: "a", "X" or "W"; "b" is in all of them. */
  const of = (sizes, { array, place }) =>
    meetings(sizes).filter((meeting) => array === "b" || same(meeting[array], place));

  /** has("X", p, q): whether X[p,q] takes part in one of them. */
  const membership = (found) => {
    const names = { a: new Set(), W: new Set(), X: new Set() };
    for (const meeting of found) Object.keys(names).forEach((array) => names[array].add(String(meeting[array])));
    return (array, i, j) => (array === "b" ? found.length > 0 : names[array].has(String([i, j])));
  };

  return Object.freeze({ of, membership });
})();
