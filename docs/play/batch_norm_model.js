"use strict";

/* The state of batch norm's view: that of every view, and which of the three ways are left out. */
const BatchNormModel = (() => {
  const CONSTANTS = ["mean", "variance"]; // what a backward leaves out that takes both for constants

  const inputs = ({ x, dy, c1, c2 }, { M, epsilon }) => {
    const batch = (matrix) => Matrices.corner(matrix, 1, M)[0];
    return { x: batch(x), dy: batch(dy), c1, c2, epsilon };
  };

  const create = () => {
    const model = Model.create(TRACES["batch norm"], {
      inputs, compute: BatchNorm.compute, shapes: ({ options: { M } }) => ({ x: [1, M] }),
      start: { array: "x", places: { x: [0, 2] } }, mistaken: "x",
    });
    const { reset, setMistake } = model;
    const changed = () => setMistake(String(model.leftOut) === String(CONSTANTS));
    model.leftOut = [];

    model.reset = () => {
      model.leftOut = [];
      reset();
    };

    model.setMistake = (on) => {
      model.leftOut = on ? CONSTANTS : [];
      changed();
    };

    model.leaveOut = (way, out) => {
      model.leftOut = BatchNorm.WAYS.filter((each) => (each === way ? out : model.leftOut.includes(each)));
      changed();
    };

    /** dy = 1 everywhere, as in a careless gradient check: the gradient of L = sum of y. */
    model.ones = () => model.edit("dy", model.drawn.dy.map((row) => row.map(() => 1)));

    /** Which x is followed. */
    model.k = () => model.picked.place[1];

    return model;
  };

  /** The ways whose absence changes some dx of this batch: what a check with these dy would miss is not among them. */
  const seen = ({ results }) => BatchNorm.WAYS.filter((way) =>
    BatchNorm.without(results, [way]).some((number, k) => Differences.differs(number, results.dx[k])));

  return Object.freeze({ create, seen });
})();
