"use strict";

/* Batch norm's arrays, each above its gradient, forward from left to right; below dx the mistake and the judge. */
const BatchNormArrays = (() => {
  const { make } = Elements;

  /** name, which is the key of inputs or results, and title; scalar: one number; edited: what typing changes. */
  const PAIRS = [
    [{ name: "x", title: "the batch: one channel", edited: true },
     { name: "dx", title: "its gradient: the sum of three ways" }],
    [{ name: "mu", title: "mean", scalar: true },
     { name: "dm", title: "dL/dm: \u2212s times the sum of g", scalar: true }],
    [{ name: "var", title: "variance", scalar: true },
     { name: "dv", title: "dL/dv: \u2212s\u00b3/2 times the sum of g (x \u2212 mu)", scalar: true }],
    [{ name: "s", title: "1 / sqrt(var + epsilon)", scalar: true }],
    [{ name: "xhat", title: "normalized: s (x \u2212 mu)" }, { name: "g", title: "its gradient: dy c1" }],
    [{ name: "c1", title: "scale", scalar: true, edited: true },
     { name: "dc1", title: "sum of dy xhat", scalar: true }],
    [{ name: "c2", title: "shift", scalar: true, edited: true }, { name: "dc2", title: "sum of dy", scalar: true }],
    [{ name: "y", title: "output: c1 xhat + c2" }, { name: "dy", title: "its gradient, given", edited: true }],
  ];

  const create = (model) => {
    const edit = (name, scalar) => (i, k, number) =>
      (scalar ? model.edit(name, number) : model.edit(name, number, i, k));
    const matrix = ({ name, scalar = false, edited }) => Matrix.create({
      name, scalar, vector: !scalar, onPick: scalar ? undefined : (i, k) => model.pick("x", 0, k),
      onEdit: edited && edit(name, scalar),
    });
    const parts = new Map(PAIRS.flat().map((each) => [each.name, { ...each, matrix: matrix(each) }]));
    const mistaken = matrix({ name: "dx with the mistake" });
    const judged = matrix({ name: "finite difference" });
    const element = make("div", { class: "pairs decimals" }, PAIRS.map((pair) => make("div", { class: "pair" }, [
      ...pair.map(({ name }) => parts.get(name).matrix.element),
      ...(pair[0].name === "x" ? [mistaken.element, judged.element] : []),
    ])));

    const show = () => {
      const { results, inputs, leftOut } = model;
      const marks = (i, n) => (n === model.k() ? ["picked"] : []);
      const everything = { ...inputs, ...results };
      parts.forEach(({ name, title, scalar, matrix: part }) => part.show({
        values: scalar ? [[everything[name]]] : [everything[name]], title, marks: scalar ? undefined : marks }));
      const wrong = BatchNorm.without(results, leftOut);
      const differs = (n) => Differences.differs(wrong[n], results.dx[n]);
      mistaken.element.hidden = leftOut.length === 0;
      mistaken.show({ values: [wrong], title: `without: ${leftOut.join(", ")}`,
                      marks: (i, n) => [...marks(i, n), ...(differs(n) ? ["wrong"] : [])] });
      judged.show({ values: [BatchNormJudge.slopes(model)], title: "the judge of dx, taken live", marks });
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
