"use strict";

/* Lines 5 and 6 of Algorithm 2 as printed, with element-wise products, where the cursor is at one of them. */
const NetworkMisprint = (() => {
  const { make } = Elements;
  const { name } = NetworkLetters;
  const shape = (matrix) => `${matrix.length}\u00d7${matrix[0].length}`;

  const outer = ({ arrays, step: { h } }, values) => {
    const [o, W] = [`o${h - 1}`, `W${h}`];
    const counts = `G has ${arrays[`da${h}`][0].length} numbers, ${name(o)} has ${arrays[o][0].length}`;
    if (!values) {
      return `${counts}: there is no element-wise product, and a program stops here. Make the two sizes equal ` +
             "to see the misprint run.";
    }
    return `${counts}, and so has their element-wise product; ${name(W)} has ${shape(arrays[W])}. An array library ` +
           "repeats the product in every row, as here, and does not complain. The diagonal is right, all else only " +
           "by chance.";
  };

  const back = ({ arrays, step: { h } }) =>
    `G, repeated for every row of ${name(`W${h}`)}, times ${name(`W${h}`)} element by element is ` +
    `${shape(arrays[`W${h}`])}; ${name(`o${h - 1}`)} has ${arrays[`o${h - 1}`][0].length} numbers. The summands are ` +
    "right, the sum over each row is missing: G has the wrong shape from here on. Each row of this adds up to one " +
    `number of ${name(`do${h - 1}`)}.`;

  const create = (model) => {
    const said = make("p");
    const heading = make("h3");
    const element = make("div", { class: "mistaken" });
    const matrices = new Map();

    const matrix = (key) => {
      if (!matrices.has(key)) matrices.set(key, Matrix.create({ name: `${name(key)} as printed` }));
      return matrices.get(key);
    };

    const show = () => {
      const { step, arrays } = model;
      element.hidden = !(model.mistake && step.block === "2" && (step.line === 5 || step.line === 6));
      if (element.hidden) return;
      const isOuter = step.line === 5;
      const values = model.asPrinted(step.h)[isOuter ? "outer" : "back"];
      const printed = matrix(step.writes);
      heading.textContent = `As printed: line ${step.line}, h = ${step.h}`;
      said.textContent = isOuter ? outer(model, values) : back(model);
      element.replaceChildren(heading, ...(values ? [printed.element] : []), said);
      if (!values) return;
      const wrong = (i, j) => !isOuter || Differences.differs(values[i][j], arrays[step.writes][i][j]);
      printed.show({ values, title: isOuter ? "repeated for every row" : "not summed",
                     marks: (i, j) => (wrong(i, j) ? ["wrong"] : []) });
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
