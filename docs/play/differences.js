"use strict";

/*
 * A finite difference as a judge: the slope of a loss in one number, and how far that slope can be trusted. Twice the
 * step makes the error of a central difference four times as large, so what it changes is an upper bound of the error.
 */
const Differences = (() => {
  const { make } = Elements;
  const ROUNDING = 4e-16; // of one evaluation of the loss, relative to it
  const SAME = 1e-6;      // relative to the largest summand of the gradient

  /** A power of ten, at most a thousandth of `size`: short enough to print. */
  const step = (size) => Number(`1e${Math.floor(Math.log10(size)) - 3}`);

  /** loss(matrix) with one number moved by h up and down: { above, below, h, slope, error }. */
  const measure = (loss, matrix, row, column, h) => {
    const near = Matrices.difference(loss, matrix, row, column, h);
    const far = Matrices.difference(loss, matrix, row, column, 2 * h);
    const rounding = (ROUNDING * (Math.abs(near.above) + Math.abs(near.below))) / h;
    return { ...near, error: Math.abs(far.slope - near.slope) + rounding };
  };

  /** Whether the value is the slope, as far as can be told; scale: the largest summand that the value was made of. */
  const agrees = (value, { slope, error }, scale) => Math.abs(value - slope) <= SAME * Math.max(1, scale) + error;

  /** "With x[2] larger by 0.001, L is 3.12; smaller by 0.001, 3.11. The difference over 0.002 is 5." */
  const sentence = (name, lossName, { above, below, h, slope }) => {
    const digits = Math.min(12, 4 - Math.floor(Math.log10(h)));
    return `With ${name} larger by ${h}, ${lossName} is ${Numbers.text(above, digits)}; smaller by ${h}, ` +
           `${Numbers.text(below, digits)}. The difference over ${2 * h} is ${Numbers.text(slope, 6)}.`;
  };

  const verdict = (name, value, measured, scale) => {
    const passes = agrees(value, measured, scale);
    return make("li", { class: passes ? "passes" : "fails",
                        text: `${name} = ${Numbers.text(value, 6)}: ` +
                              (passes ? "\u2713 the same" : "\u2717 another number") });
  };

  /** Whether two results differ by more than rounding. */
  const differs = (left, right) => Math.abs(left - right) > 1e-9 * Math.max(1, Math.abs(left), Math.abs(right));

  return Object.freeze({ step, measure, agrees, sentence, verdict, differs });
})();
