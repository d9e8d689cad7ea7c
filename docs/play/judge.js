"use strict";

/*
 * The judge of a gradient: a finite difference of the loss, taken live, and what each candidate is beside it.
 *
 *     judge.show({ said: "L is ... With X[1,2]", difference: Matrices.difference(...), values: [["dX[1,2]", 19], ...],
 *                  hint: "..." })
 *
 * Without a difference only the hint is shown; show(null) hides the judge.
 */
const Judge = (() => {
  const { make } = Elements;

  const differs = (left, right) => Math.abs(left - right) > 1e-6 * Math.max(1, Math.abs(left), Math.abs(right));

  const verdict = ([name, value], slope) => {
    const other = differs(value, slope);
    return make("li", { class: other ? "fails" : "passes",
                        text: `${name} = ${Numbers.text(value)}: ` +
                              (other ? "\u2717 another number" : "\u2713 the same") });
  };

  const create = () => {
    const element = make("section", { class: "judge", "aria-label": "the judge: a finite difference" });
    const four = (number) => Numbers.text(number, 4);

    const show = (judged) => {
      element.hidden = judged === null;
      if (judged === null) return;
      const { said, difference, values = [], hint = "" } = judged;
      const sentence = difference && `The judge: ${said} larger by ${difference.h}, L is ${four(difference.above)}; ` +
        `smaller by ${difference.h}, it is ${four(difference.below)}. The difference over ${2 * difference.h} is ` +
        `${four(difference.slope)}.`;
      element.replaceChildren(
        ...(difference ? [make("p", { text: sentence }),
                          make("ul", {}, values.map((value) => verdict(value, difference.slope)))] : []),
        ...(hint ? [make("p", { text: hint })] : []),
      );
    };
    return { element, show };
  };

  return Object.freeze({ create, differs });
})();
