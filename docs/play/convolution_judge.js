"use strict";

/* What the judge says of a number of the convolution. */
const ConvolutionJudge = (() => {
  const H = 0.01; // L is linear in each number, so no step is too large; this one shows in the printed decimals

  const marks = ({ results }, p, q) =>
    (Judge.differs(results.dX[p][q], results["dX not rotated"][p][q]) ? ["wrong"] : []);

  /** The difference quotient of L = sum of da a for the picked number, null for an output, whose gradient is given. */
  const difference = ({ picked: { array, place: [i, j] }, inputs: { W, b, da }, results: { X, sizes } }) => ({
    a: () => null,
    X: () => Matrices.difference((moved) => Convolution.loss(moved, W, b, da, sizes), X, i, j, H),
    W: () => Matrices.difference((moved) => Convolution.loss(X, moved, b, da, sizes), W, i, j, H),
    b: () => Matrices.difference(([[moved]]) => Convolution.loss(X, W, moved, da, sizes), [[b]], 0, 0, H),
  })[array]();

  const hint = (model) => {
    const seen = model.results.dX.some((row, p) => row.some((_, q) => marks(model, p, q).length > 0));
    if (model.mistake && !seen) {
      return "Here the mistake does not show: rotated, this kernel makes the same dX. A check needs a kernel that is " +
             "not its own rotation.";
    }
    return model.picked.array === "a" ? "da is given, so nothing is judged. Pick a number of dX, dW or db." : "";
  };

  const judged = (model) => {
    const { picked: { array, place: [i, j] }, results, mistake } = model;
    const number = array === "b" ? "b" : `${array}[${i},${j}]`;
    const values = array === "a" ? [] : [[`d${number}`, array === "b" ? results.db : results[`d${array}`][i][j]]];
    if (mistake && array === "X") values.push([`d${number} not rotated`, results["dX not rotated"][i][j]]);
    return { said: `L is the sum of da times a. With ${number}`, difference: difference(model), values,
             hint: hint(model) };
  };

  return Object.freeze({ marks, difference, judged });
})();
