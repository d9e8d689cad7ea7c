"use strict";

/*
 * The state of the network's view: that of every view, with the weight, bias or input that is picked to be judged; the
 * step that the cursor is at; the number of that step's result that is worked out (place).
 */
const NetworkModel = (() => {
  const { corner } = Matrices;
  const JUDGED = ["o0", "W1", "b1", "W2", "b2"];
  const isG = (key) => /^d[ao]\d$/.test(key); // G of Algorithm 2 is the gradient of an a or an o

  const inputs = ({ x, W1, b1, W2, b2, y }, { inputs: I, hidden: H, outputs: O, sigma }) => ({
    x: corner(x, 1, I), W1: corner(W1, I, H), b1: corner(b1, 1, H), W2: corner(W2, H, O), b2: corner(b2, 1, O),
    y: corner(y, 1, O), sigma });

  const shapes = ({ options: { inputs: I, hidden: H, outputs: O } }) =>
    ({ o0: [1, I], W1: [I, H], b1: [1, H], W2: [H, O], b2: [1, O] });

  const within = ([i, j], matrix) => [Math.min(i, matrix.length - 1), Math.min(j, matrix[0].length - 1)];

  const create = () => {
    const model = Model.create(TRACES.network, {
      inputs, compute: Network.compute, shapes, mistaken: "W1",
      start: { array: "W1", places: { o0: [0, 1], W1: [0, 1], b1: [0, 1], W2: [1, 0], b2: [0, 0] } },
    });
    const { reset, pick, setMistake } = model;
    const begin = () => Object.assign(model, { cursor: 0, place: [0, 1] });
    const taken = () => model.steps.slice(0, model.cursor + 1);

    const derive = () => {
      model.steps = NetworkSteps.all(model.options.sigma);
      model.step = model.steps[model.cursor];
      model.arrays = { ...model.inputs, ...model.results, l: [[model.results.l]] };
      const { writes } = model.step;
      if (!writes) return;
      model.place = writes === `d${model.picked.array}` ? model.picked.place
        : within(model.place, model.arrays[writes]);
    };

    model.reset = () => {
      begin();
      reset();
    };

    model.go = (cursor) => {
      model.cursor = cursor;
      pick(model.picked.array);
    };

    /** Works out another number of what the step writes; a gradient that can be judged is then judged. */
    model.work = (i, j) => {
      model.place = [i, j];
      const judged = JUDGED.find((array) => model.step.writes === `d${array}`);
      if (judged) pick(judged, i, j);
      else pick(model.picked.array);
    };

    /** Lines 5 and 6 of Algorithm 2 as printed, beside the right ones. Goes to a line 5 whose shapes fit, if any do. */
    model.setMistake = (on) => {
      const { inputs: I, hidden: H, outputs: O } = model.options;
      const h = H !== O || I === H ? 1 : 2;
      if (on) model.cursor = model.steps.findIndex((step) => step.block === "2" && step.line === 5 && step.h === h);
      setMistake(on);
    };

    /** Whether the array has been written when the cursor's step is done; what is given always has. */
    model.known = (key) => key in model.inputs || taken().some((step) => step.writes === key);

    /** The array that G of Algorithm 2 is now, undefined before it begins. */
    model.G = () => taken().map((step) => step.writes).filter(isG).pop();

    /** What lines 5 and 6 of layer h give as printed; outer is null where the shapes do not fit. */
    model.asPrinted = (h) => {
      const [G, o, W] = [`da${h}`, `o${h - 1}`, `W${h}`].map((key) => model.arrays[key]);
      return { outer: Network.printedOuter(G, o), back: Network.printedBack(G, W) };
    };

    begin();
    model.listen(derive); // before the view listens
    derive();
    return model;
  };

  return Object.freeze({ create, JUDGED });
})();
