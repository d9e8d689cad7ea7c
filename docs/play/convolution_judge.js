"use strict";

/* The judge between the right gradient and the mistake: a finite difference of the loss, taken live. */
const ConvolutionJudge = (() => {
  const { make } = Elements;
  const H = 0.01; // L is linear in each number, so no step is too large; this one shows in the printed decimals

  const differs = (left, right) => Math.abs(left - right) > 1e-9 * Math.max(1, Math.abs(left), Math.abs(right));

  const marks = ({ results }, p, q) => (differs(results.dX[p][q], results["dX not rotated"][p][q]) ? ["wrong"] : []);

  /** The difference quotient of L = sum of da a for the picked number, null for an output, whose gradient is given. */
  const difference = ({ picked: { array, place: [i, j] }, inputs: { W, b, da }, results: { X, sizes } }) => ({
    a: () => null,
    X: () => Matrices.difference((moved) => Convolution.loss(moved, W, b, da, sizes), X, i, j, H),
    W: () => Matrices.difference((moved) => Convolution.loss(X, moved, b, da, sizes), W, i, j, H),
    b: () => Matrices.difference(([[moved]]) => Convolution.loss(X, W, moved, da, sizes), [[b]], 0, 0, H),
  })[array]();

  const verdict = (name, value, slope) => {
    const same = Math.abs(value - slope) < 1e-6 * Math.max(1, Math.abs(value));
    return make("li", { class: same ? "passes" : "fails",
                        text: `${name} = ${Numbers.text(value)}: ${same ? "\u2713 the same" : "\u2717 another number"}` });
  };

  const create = (model) => {
    const element = make("section", { class: "judge", "aria-label": "the judge: a finite difference" });

    const judged = ({ above, below, slope }) => {
      const { picked: { array, place: [i, j] }, results, mistake } = model;
      const number = array === "b" ? "b" : `${array}[${i},${j}]`;
      const value = (name) => (array === "b" ? results.db : results[name][i][j]);
      const four = (loss) => Numbers.text(loss, 4);
      const verdicts = [verdict(`d${number}`, value(`d${array}`), slope)];
      if (mistake && array === "X") verdicts.push(verdict(`d${number} not rotated`, value("dX not rotated"), slope));
      return [make("p", { text: `The judge: L is the sum of da times a. With ${number} larger by ${H}, L is ` +
                                `${four(above)}; smaller by ${H}, it is ${four(below)}. The difference over ${2 * H} ` +
                                `is ${four(slope)}.` }), make("ul", {}, verdicts)];
    };

    const show = (wanted) => {
      element.hidden = !wanted;
      if (!wanted) return;
      const found = difference(model);
      const hidden = model.mistake && !model.results.dX.some((row, p) => row.some((_, q) => marks(model, p, q).length));
      element.replaceChildren(
        ...(found ? judged(found) : [make("p", { text: "da is given, so there is nothing to judge. Pick a number of " +
                                                       "dX, dW or db." })]),
        ...(hidden ? [make("p", { text: "Here the mistake does not show: rotated, this kernel makes the same dX. A " +
                                        "check needs a kernel that is not its own rotation." })] : []),
      );
    };
    return { element, show };
  };

  return Object.freeze({ create, marks, difference });
})();
