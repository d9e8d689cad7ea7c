"use strict";

/*
 * The state of the convolution's view: what was drawn or typed, the options, what is picked, and what follows from them.
 * Until something is changed, the results are those that the engine wrote; afterwards they are convolution.js's.
 */
const ConvolutionModel = (() => {
  const { corner, replaced } = Matrices;
  const GRADIENT = { a: "da", X: "dX", W: "dW", b: "db" };

  const create = (trace) => {
    const listeners = [];
    const original = JSON.stringify([trace.drawn, trace.options]);
    const model = { trace, GRADIENT, listen: (listener) => listeners.push(listener) };

    const inputs = ({ rows, columns, kernel, stride, padding }) => {
      const x = corner(model.drawn.x, rows, columns);
      const W = corner(model.drawn.W, kernel, kernel);
      const { a } = Convolution.geometry({ rows, columns, kernelRows: kernel, kernelColumns: kernel, stride, padding });
      return { x, W, b: model.drawn.b, da: corner(model.drawn.da, a.rows, a.columns), stride, padding };
    };

    const refresh = () => {
      model.inputs = inputs(model.options);
      model.fromEngine = JSON.stringify([model.drawn, model.options]) === original;
      model.results = { ...Convolution.compute(model.inputs), ...(model.fromEngine ? trace.results : {}) };
      const { a, X } = model.results.sizes;
      const last = { a: [a.rows, a.columns], X: [X.rows, X.columns], W: [model.options.kernel, model.options.kernel] };
      for (const [array, [rows, columns]] of Object.entries(last)) {
        const [i, j] = model.places[array];
        model.places[array] = [Math.min(i, rows - 1), Math.min(j, columns - 1)];
      }
      model.picked = { array: model.array, place: model.places[model.array] };
      listeners.forEach((listener) => listener());
    };

    model.reset = () => {
      Object.assign(model, { drawn: trace.drawn, options: trace.options, mistake: false, array: "a",
                             places: { a: [1, 2], X: [2, 3], W: [0, 0], b: [0, 0] } });
      refresh();
    };

    /** array: "a", "X", "W" or "b"; place: in X, with the zeros around x. */
    model.pick = (array, i, j) => {
      model.array = array;
      if (i !== undefined) model.places[array] = [i, j];
      refresh();
    };

    /** Sets one number: array is "x", "W", "b" or "da", place is in that array. */
    model.edit = (array, i, j, number) => {
      const value = array === "b" ? number : replaced(model.drawn[array], i, j, number);
      model.drawn = { ...model.drawn, [array]: value };
      refresh();
    };

    /** Sets one option; returns what is wrong with it, if anything is, and then changes nothing. */
    model.setOption = (name, value) => {
      const options = { ...model.options, [name]: value };
      const { rows, columns, kernel, padding } = options;
      if (padding === "VALID" && Math.min(rows, columns) < kernel) {
        return `The image is ${rows}\u00d7${columns} and the kernel ${kernel}\u00d7${kernel}: without zeros around the ` +
               "image (VALID) the kernel fits nowhere. Choose SAME, a larger image or a smaller kernel.";
      }
      model.options = options;
      refresh();
      return "";
    };

    model.setMistake = (on) => {
      model.mistake = on;
      if (on) model.array = "X"; // the mistake is in dX
      refresh();
    };

    /** Whether X[p,q] is a pixel of x and not a zero around it. */
    model.isPixel = (p, q) => {
      const { top, left, rows, columns } = model.results.sizes;
      return p >= top && q >= left && p < top + rows && q < left + columns;
    };

    model.reset();
    return model;
  };

  return Object.freeze({ create });
})();
