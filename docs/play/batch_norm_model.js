"use strict";

/*
 * The state of batch norm's view: the numbers, how many of them are the batch, which x is followed (k), which ways are
 * left out. Until a number or the batch is changed, the results are those that the engine wrote.
 */
const BatchNormModel = (() => {
  const create = (trace) => {
    const listeners = [];
    const original = JSON.stringify([trace.drawn, trace.options]);
    const model = { trace, listen: (listener) => listeners.push(listener) };

    const refresh = () => {
      const { drawn: { x, dy, c1, c2 }, options: { M, epsilon } } = model;
      model.inputs = { x: x.slice(0, M), dy: dy.slice(0, M), c1, c2, epsilon };
      model.fromEngine = JSON.stringify([model.drawn, model.options]) === original;
      model.results = { ...BatchNorm.compute(model.inputs), ...(model.fromEngine ? trace.results : {}) };
      model.k = Math.min(model.k, M - 1);
      listeners.forEach((listener) => listener());
    };

    model.reset = () => {
      Object.assign(model, { drawn: trace.drawn, options: trace.options, leftOut: [], k: 2 });
      refresh();
    };

    /** Follows x[k]. */
    model.pick = (k) => {
      model.k = k;
      refresh();
    };

    /** Sets one number: of "x" or "dy" at k, or "c1" or "c2". */
    model.edit = (name, k, number) => {
      const value = name in { x: 0, dy: 0 } ? model.drawn[name].map((old, n) => (n === k ? number : old)) : number;
      model.drawn = { ...model.drawn, [name]: value };
      refresh();
    };

    /** dy = 1 everywhere, as in a careless gradient check: the gradient of L = sum of y. */
    model.ones = () => {
      model.drawn = { ...model.drawn, dy: model.drawn.dy.map(() => 1) };
      refresh();
    };

    model.setSize = (M) => {
      model.options = { ...model.options, M };
      refresh();
    };

    model.leaveOut = (way, out) => {
      model.leftOut = BatchNorm.WAYS.filter((each) => (each === way ? out : model.leftOut.includes(each)));
      refresh();
    };

    /** The ways whose absence changes some dx of this batch: those that a check with this dy would miss are not here. */
    model.seen = () => BatchNorm.WAYS.filter((way) => {
      const mistaken = BatchNorm.without(model.results, [way]);
      return mistaken.some((number, k) => Differences.differs(number, model.results.dx[k]));
    });

    model.reset();
    return model;
  };

  return Object.freeze({ create });
})();
