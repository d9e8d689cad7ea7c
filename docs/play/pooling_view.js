"use strict";

/* Max-pool: its words, its options and its mistake. */
Views.add((() => {
  const { corner } = Matrices;

  const inputs = (drawn, { rows, columns, size, stride }) => {
    const [height, width] = Pooling.outputs({ rows, columns, size, stride });
    return { x: corner(drawn.x, rows, columns), dy: corner(drawn.dy, height, width), size, stride };
  };

  const shapes = ({ inputs: { x, dy } }) => ({ x: [x.length, x[0].length], y: [dy.length, dy[0].length] });

  const said = ({ picked: { array, place: [i, j] }, inputs: { dy }, results: { y } }, links) => {
    if (array === "y") {
      const [[p, q]] = links.filter(({ factor }) => factor === 1).map(({ x }) => x);
      const ties = links.filter(({ mistaken }) => mistaken === 1).length;
      return `y[${i},${j}] = ${Numbers.text(y[i][j])} is the largest of its window and sits at x[${p},${q}]` +
             `${ties > 1 ? `, the first of ${ties} that are as large` : ""}. So all of dy[${i},${j}] = ` +
             `${Numbers.text(dy[i][j])} goes there, and the rest of the window gets nothing.`;
    }
    const largest = links.filter(({ factor }) => factor === 1).length;
    return links.length === 0 ? operation.unlinked
      : `x[${i},${j}] lies in ${links.length} ${links.length === 1 ? "window" : "windows"} and is the largest, or ` +
        `the first of equal ones, in ${largest}. dx[${i},${j}] is the sum of the dy of those.`;
  };

  const operation = {
    said, judged: PoolingJudge.judged, mistakeName: "dx, ties all paid", windowTitle: "image, with the window on it",
    factorName: "first largest?", unlinked: "This pixel lies in no window, so its gradient is 0.",
    mark: ({ factor, mistaken }) => (factor === 1 ? "first" : mistaken === 1 ? "tie" : "linked"),
  };

  const refuse = ({ rows, columns, size }) => (Math.min(rows, columns) < size
    ? `The image is ${rows}\u00d7${columns} and the window ${size}\u00d7${size}: it fits nowhere. Choose a larger ` +
      "image or a smaller window." : "");

  const model = () => {
    const { drawn, options } = TRACES.pooling;
    const losing = Pooling.compute(inputs(drawn, options)).links.find(PoolingJudge.tied); // as large, but not paid
    return Model.create(TRACES.pooling, { inputs, compute: Pooling.compute, shapes, refuse, mistaken: "x",
                                          start: { array: "y", places: { x: losing.x, y: losing.y } } });
  };

  const create = () => Frame.create({
    title: "Max-pool",
    look: "only the largest pixel of a window moves its output, so it alone receives dy; of equal ones the first. " +
          "There is a 1 in the chain rule (3.8) for it, and a 0 for every other.",
    derivation: "engine/layers/pooling.py",
    model: model(),
    options: [["Window", "size", Frame.wholeNumbers(1, 3, (n) => `${n}\u00d7${n}`)],
              ["Stride", "stride", Frame.wholeNumbers(1, 3)], ["Image rows", "rows", Frame.wholeNumbers(2, 6)],
              ["Image columns", "columns", Frame.wholeNumbers(2, 6)]],
    mistake: "The mistake beside it: every largest pixel of a tie is paid",
    levels: [["layer", "1 The layer", MovesLayer.create(operation)],
             ["sliding", "2 The sliding window", MovesSliding.create(operation)],
             ["number", "3 One number", MovesNumber.create(operation)]],
  });

  return { id: "pooling", name: "Max-pool", create };
})());
