"use strict";

/*
 * The state of the network's view: the numbers, the sizes, which step the cursor is at, which number of the step's result
 * is worked out (place), which weight is judged (chosen). Until something is changed, the results are the engine's.
 */
const NetworkModel = (() => {
  const { corner, replaced } = Matrices;
  const JUDGED = ["o0", "W1", "b1", "W2", "b2"];

  const create = (trace) => {
    const listeners = [];
    const original = JSON.stringify([trace.drawn, trace.options]);
    const model = { trace, listen: (listener) => listeners.push(listener) };

    const inputs = ({ inputs: I, hidden: H, outputs: O, sigma }) => {
      const { x, W1, b1, W2, b2, y } = model.drawn;
      return { x: corner(x, 1, I), W1: corner(W1, I, H), b1: corner(b1, 1, H), W2: corner(W2, H, O),
               b2: corner(b2, 1, O), y: corner(y, 1, O), sigma };
    };

    const within = ([i, j], matrix) => [Math.min(i, matrix.length - 1), Math.min(j, matrix[0].length - 1)];

    const refresh = () => {
      model.inputs = inputs(model.options);
      model.steps = NetworkSteps.all(model.options.sigma);
      model.step = model.steps[model.cursor];
      model.fromEngine = JSON.stringify([model.drawn, model.options]) === original;
      const results = { ...Network.compute(model.inputs), ...(model.fromEngine ? trace.results : {}) };
      model.arrays = { ...model.inputs, ...results, l: [[results.l]] };
      model.chosen = { ...model.chosen, place: within(model.chosen.place, model.arrays[model.chosen.array]) };
      const { writes } = model.step;
      if (writes) model.place = writes === `d${model.chosen.array}` ? model.chosen.place : within(model.place, model.arrays[writes]);
      listeners.forEach((listener) => listener());
    };

    model.reset = () => {
      Object.assign(model, { drawn: trace.drawn, options: trace.options, cursor: 0, place: [0, 1], printed: false,
                             chosen: { array: "W1", place: [0, 1] } });
      refresh();
    };

    model.go = (cursor) => {
      model.cursor = cursor;
      refresh();
    };

    /** Works out another number of what the step writes; a gradient that can be judged is then judged. */
    model.pick = (i, j) => {
      model.place = [i, j];
      const judged = JUDGED.find((array) => model.step.writes === `d${array}`);
      if (judged) model.chosen = { array: judged, place: [i, j] };
      refresh();
    };

    /** Chooses the number whose gradient is judged: array is one of JUDGED. */
    model.choose = (array, i, j) => {
      model.chosen = { array, place: [i, j] };
      refresh();
    };

    /** Sets one number of "x", "W1", "b1", "W2", "b2" or "y". */
    model.edit = (name, i, j, number) => {
      model.drawn = { ...model.drawn, [name]: replaced(model.drawn[name], i, j, number) };
      refresh();
    };

    model.setOption = (name, value) => {
      model.options = { ...model.options, [name]: value };
      refresh();
    };

    /** Lines 5 and 6 of Algorithm 2 as printed, beside the right ones; goes to where line 5 can be shown, if anywhere. */
    model.setPrinted = (on) => {
      model.printed = on;
      const { inputs: I, hidden: H, outputs: O } = model.options;
      const h = H !== O || I === H ? 1 : 2;
      if (on) model.cursor = model.steps.findIndex((step) => step.block === "2" && step.line === 5 && step.h === h);
      refresh();
    };

    /** Whether the array has been written when the cursor's step is done; what is given always has. */
    model.known = (key) => key in model.inputs || model.steps.slice(0, model.cursor + 1).some((step) => step.writes === key);

    /** The array that G of Algorithm 2 is now, if it has begun. */
    model.G = () => model.steps.slice(0, model.cursor + 1).map((step) => step.writes)
      .filter((key) => /^d[ao]\d$/.test(key)).pop();

    /** What lines 5 and 6 of layer h give as printed; outer is null where the shapes do not fit. */
    model.asPrinted = (h) => {
      const [G, o, W] = [`da${h}`, `o${h - 1}`, `W${h}`].map((key) => model.arrays[key]);
      return { outer: Network.printedOuter(G, o), back: Network.printedBack(G, W) };
    };

    model.reset();
    return model;
  };

  return Object.freeze({ create, JUDGED });
})();
