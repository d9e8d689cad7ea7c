"use strict";

/* Max-pool: its words, its options and its mistake. */
Views.add((() => {
  const { corner, difference, inner } = Matrices;
  const H = 0.001; // smaller than what is between two pixels, so that a larger one does not change in the window

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

  const tied = ({ factor, mistaken }) => factor !== mistaken;

  /** All pixels that are as large as the picked number move together: one of a tie alone would meet a kink. */
  const judged = ({ picked: { array, place: [i, j] }, inputs: given, results, mistake }) => {
    const level = (array === "y" ? results.y : given.x)[i][j];
    const chosen = given.x.map((row) => row.map((number) => Number(number === level)));
    const moved = (h) => given.x.map((row, p) => row.map((number, q) => number + h * chosen[p][q]));
    const count = Matrices.sum(chosen);
    return {
      said: "L is the sum of dy times y. " +
            `${count === 1 ? "One pixel is" : `${count} pixels are`} ${Numbers.text(level)}; they move ` +
            "together, since one of a tie alone would meet a kink. With them",
      difference: difference(([[h]]) => Pooling.loss(moved(h), given), [[0]], 0, 0, H),
      values: [["the sum of their dx", inner(results.dx, chosen)],
               ...(mistake ? [["the sum of their dx with the mistake", inner(results.mistaken, chosen)]] : [])],
      hint: mistake && !results.links.some(tied)
        ? "No window has a tie, so the mistake does not show. Make two pixels of a window equal." : "",
    };
  };

  const operation = {
    said, judged, mistakeName: "dx, ties all paid", windowTitle: "image, with the window on it",
    factorName: "first largest?", unlinked: "This pixel lies in no window, so its gradient is 0.",
    mark: ({ factor, mistaken }) => (factor === 1 ? "first" : mistaken === 1 ? "tie" : "linked"),
  };

  const refuse = ({ rows, columns, size }) => (Math.min(rows, columns) < size
    ? `The image is ${rows}\u00d7${columns} and the window ${size}\u00d7${size}: it fits nowhere. Choose a larger ` +
      "image or a smaller window." : "");

  const model = () => {
    const { drawn, options } = TRACES.pooling;
    const losing = Pooling.compute(inputs(drawn, options)).links.find(tied); // a pixel that a tie leaves without dy
    return Model.create(TRACES.pooling, { inputs, compute: Pooling.compute, shapes, refuse, mistaken: "x",
                                          start: { array: "y", places: { x: losing.x, y: losing.y } } });
  };

  const create = () => Frame.create({
    title: "Max-pool",
    look: "only the largest pixel of a window moves its output, so it alone receives dy; of equal ones the first. " +
          "There is a 1 in the chain rule (3.8) for it, and a 0 for every other.",
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
