"use strict";

/* The step at the cursor: what the line reads, what it writes, one number of that worked out, the misprint beside. */
const NetworkStep = (() => {
  const { make } = Elements;
  const { name, title, at } = NetworkLetters;
  const INPUTS = ["x", "W1", "b1", "W2", "b2", "y"];

  /** Why the line is as it is. The sentences of lines 4 to 6 are those of Dense's docstring, which the trace brings. */
  const SAID = {
    1.1: () => "The input is the output of layer 0.",
    1.2: () => "For every layer but the last. H is 2 here: only h = 1.",
    1.3: () => "Every input times its weight, added up, and a bias: (3.3) to (3.7).",
    1.4: ({ sigma }) => `\u03c3 is ${sigma}: a function of each number alone.`,
    1.6: () => "The last layer, as the others.",
    1.7: () => "\u03b3 is the identity: least squares wants numbers of any size.",
    l1: () => "Least squares: one number that says how far the prediction is off.",
    2.1: () => "G holds the gradient of what was last gone through. It begins as that of the prediction (3.8).",
    2.2: (options, { h }) => `From the last layer to the first: now h = ${h}.`,
    2.3: ({ sigma }, { h }) => (h === 2 ? "f is \u03b3 here, the identity: its derivative is 1."
      : `f is \u03c3: ${sigma === "ReLU" ? "the gradient passes where the output is above 0"
        : "its derivative is o (1 \u2212 o)"}.`),
    2.4: (options, step, formulas) => inLetters(formulas.db, step),
    2.5: (options, step, formulas) => inLetters(formulas.dW, step),
    2.6: (options, step, formulas) => inLetters(formulas.dx, step),
  };

  /** A line of Dense's docstring, and what its letters are at this step; there is one sample, n = 0. */
  const inLetters = (formula, { h }) => `${formula}. Here x is ${name(`o${h - 1}`)}, da is G, and there is one sample.`;

  const said = ({ options, step, trace }) => SAID[step.block === "l" ? "l1" : `${step.block}.${step.line}`](
    options, step, trace.formulas);

  /** The number at the place: "a1[0] = b1[0] + ... = 1 + 2 = 3" as three lines. */
  const worked = ({ step, arrays, place }) => {
    if (!step.writes) return [];
    const value = arrays[step.writes][place[0]][place[1]];
    const [symbols, numbers] = step.sum(arrays, place);
    const result = Numbers.text(value, NetworkSteps.digits(value));
    const number = step.writes === "l" ? "l" : at(step.writes, place);
    return [make("p", { class: "sum", text: `${number} = ${symbols}` }),
            make("p", { class: "sum", text: `= ${numbers === null ? "" : `${numbers} = `}${result}` })];
  };

  const create = (model) => {
    const where = make("p", { class: "where-now", role: "status" });
    const why = make("p", { class: "said" });
    const [reads, writes] = ["reads", "writes"].map((role) => make("div", { class: `side ${role}` }));
    const sum = make("div", { class: "worked-number" });
    const misprint = NetworkMisprint.create(model);
    const element = make("div", { class: "step" }, [where, why, make("div", { class: "flow" }, [reads, writes]), sum,
                                                    misprint.element]);
    const made = new Map(); // one matrix for each array and role, so that the focus stays while numbers are typed

    const matrix = (key, role) => {
      if (!made.has(role + key)) {
        made.set(role + key, Matrix.create({
          name: name(key), scalar: key === "l", vector: !/W/.test(key),
          onPick: role === "writes" ? model.work : undefined,
          onEdit: INPUTS.includes(key) ? (i, j, number) => model.edit(key, number, i, j) : undefined }));
      }
      return made.get(role + key);
    };

    const fill = (side, role, heading, keys) => {
      const elements = keys.map((key) => matrix(key, role).element);
      const present = [...side.querySelectorAll(".matrix")];
      if (elements.length !== present.length || elements.some((each, n) => each !== present[n])) {
        side.replaceChildren(make("h4", { text: heading }), make("div", { class: "side-arrays" }, elements));
      }
      side.hidden = keys.length === 0;
    };

    const show = () => {
      const { step, arrays, place } = model;
      const uses = step.writes ? step.uses(place) : {};
      const number = step.block === "l" ? "The loss" : `Algorithm ${step.block}, line ${step.line}`;
      where.textContent = number + (step.h ? `, h = ${step.h}` : "") +
                          (step.writes ? `: writes ${name(step.writes)}` : "");
      why.textContent = said(model);
      fill(reads, "reads", "reads", step.reads);
      fill(writes, "writes", "writes", step.writes ? [step.writes] : []);
      step.reads.forEach((key) => matrix(key, "reads").show({
        values: arrays[key], title: title(key), marks: (i, j) => (uses[key](i, j) ? ["linked"] : []) }));
      if (step.writes) {
        matrix(step.writes, "writes").show({
          values: arrays[step.writes], title: title(step.writes) + (step.writes === model.G() ? ", now G" : ""),
          marks: (i, j) => (i === place[0] && j === place[1] ? ["picked"] : []) });
      }
      sum.replaceChildren(...worked(model));
      misprint.show();
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
