"use strict";

/*
 * The state of a view: what was drawn or typed, the options, what is picked, and what follows from them. Until
 * something is changed, the results are those that the engine wrote; afterwards they are the page's own.
 *
 *     Model.create(trace, {
 *       inputs: (drawn, options) => what compute takes,
 *       compute: (inputs) => results by name, at least those of the trace,
 *       shapes: ({ inputs, results, options }) => ({ array: [rows, columns] }), the arrays in which a number is picked,
 *       refuse: (options) => what is wrong with them, "" if nothing is,
 *       start: { array, places: { array: [i, j] } }, what is picked at first,
 *       mistaken: the array that is picked when the mistake is switched on,
 *     })
 */
const Model = (() => {
  const create = (trace, { inputs, compute, shapes, refuse = () => "", start, mistaken }) => {
    const listeners = [];
    const original = JSON.stringify([trace.drawn, trace.options]);
    const model = { trace, listen: (listener) => listeners.push(listener) };

    const refresh = () => {
      model.inputs = inputs(model.drawn, model.options);
      model.fromEngine = JSON.stringify([model.drawn, model.options]) === original;
      model.results = { ...compute(model.inputs), ...(model.fromEngine ? trace.results : {}) };
      for (const [array, [rows, columns]] of Object.entries(shapes(model))) {
        const [i, j] = model.places[array];
        model.places[array] = [Math.min(i, rows - 1), Math.min(j, columns - 1)];
      }
      model.picked = { array: model.array, place: model.places[model.array] };
      listeners.forEach((listener) => listener());
    };

    model.reset = () => {
      Object.assign(model, { drawn: trace.drawn, options: trace.options, mistake: false, array: start.array,
                             places: { ...start.places } });
      refresh();
    };

    /** Picks a number of an array, or the array at the place that was picked in it before. */
    model.pick = (array, i, j) => {
      model.array = array;
      if (i !== undefined) model.places[array] = [i, j];
      refresh();
    };

    /** Sets one drawn number, of a matrix at i, j. */
    model.edit = (name, number, i, j) => {
      const value = i === undefined ? number : Matrices.replaced(model.drawn[name], i, j, number);
      model.drawn = { ...model.drawn, [name]: value };
      refresh();
    };

    /** Sets one option; returns what is wrong with it, if anything is, and then changes nothing. */
    model.setOption = (name, value) => {
      const options = { ...model.options, [name]: value };
      const wrong = refuse(options);
      if (!wrong) {
        model.options = options;
        refresh();
      }
      return wrong;
    };

    model.setMistake = (on) => {
      model.mistake = on;
      if (on) model.array = mistaken;
      refresh();
    };

    model.reset();
    return model;
  };

  return Object.freeze({ create });
})();
