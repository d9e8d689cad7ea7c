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

  const verdict = (name, value, slope) =>
    make("li", { class: differs(value, slope) && Math.abs(value - slope) > 1e-6 ? "fails" : "passes",
                 text: `${name} = ${Numbers.text(value)}: ` +
                       (Math.abs(value - slope) > 1e-6 ? "\u2717 another number" : "\u2713 the same") });

  const create = (model) => {
    const element = make("section", { class: "judge", "aria-label": "the judge: a finite difference" });

    const show = (wanted) => {
      const judged = difference(model);
      element.hidden = !wanted || !judged;
      if (element.hidden) return;
      const { picked: { array, place }, results } = model;
      const at = array === "b" ? "" : `[${place}]`;
      const value = (name) => (array === "b" ? results[name] : results[name][place[0]][place[1]]);
      const four = (number) => Numbers.text(number, 4);
      const same = results.dX.flat().every((number, n) => !differs(number, results["dX not rotated"].flat()[n]));
      const gradient = `d${array}`;
      element.replaceChildren(
        make("p", { text: `The judge: L is the sum of da times a. With ${array}${at} larger by ${H}, L is ` +
                          `${four(judged.above)}; smaller by ${H}, ${four(judged.below)}. The difference over ` +
                          `${2 * H} is ${four(judged.slope)}.` }),
        make("ul", {}, [verdict(`${gradient}${at}`, value(gradient), judged.slope),
                        ...(model.mistake && array === "X"
                          ? [verdict(`${gradient}${at} not rotated`, value("dX not rotated"), judged.slope)] : [])]),
        ...(model.mistake && same ? [make("p", { text: "This kernel looks the same when it is rotated, so the mistake " +
                                                       "does not show: a check needs a kernel that does not." })] : []),
      );
    };
    return { element, show };
  };

  return Object.freeze({ create, marks, difference });
})();
