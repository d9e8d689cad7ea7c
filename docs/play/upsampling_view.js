"use strict";

/* Upsampling: its words, its options and its mistake. */
Views.add((() => {
  const { corner, difference } = Matrices;

  const inputs = (drawn, { rows, columns, factor }) =>
    ({ x: corner(drawn.x, rows, columns), dy: corner(drawn.dy, factor * rows, factor * columns), factor });

  const shapes = ({ inputs: { x, dy } }) => ({ x: [x.length, x[0].length], y: [dy.length, dy[0].length] });

  const said = ({ picked: { array, place: [i, j] }, inputs: { dy } }, links) => {
    if (array === "x") {
      return `x[${i},${j}] is copied to ${links.length} outputs, so it moves the loss ${links.length} times: ` +
             `dx[${i},${j}] is the sum of their dy.`;
    }
    const [{ x: [p, q] }] = links;
    return `y[${i},${j}] is a copy of x[${p},${q}], so dy[${i},${j}] = ${Numbers.text(dy[i][j])} is one of the ` +
           `summands of dx[${p},${q}].`;
  };

  const judged = ({ picked: { array, place: [i, j] }, inputs: given, results, mistake }) => (array === "y"
    ? { hint: "dy is given, so there is nothing to judge. Pick a number of dx." }
    : { said: `L is the sum of dy times y. With x[${i},${j}]`,
        difference: difference((moved) => Upsampling.loss(moved, given), given.x, i, j, 0.01),
        values: [[`dx[${i},${j}]`, results.dx[i][j]],
                 ...(mistake ? [[`dx[${i},${j}] as a mean`, results.mistaken[i][j]]] : [])] });

  const operation = { said, judged, mistakeName: "dx as a mean", windowTitle: "image, with the pixel that is copied",
                      factorName: "times", mark: () => "linked" };

  const create = () => Frame.create({
    title: "Upsampling",
    look: "what is copied on the way forward is summed on the way back: a pixel's copies each move the loss, and the " +
          "chain rule (3.8) adds up what they do.",
    derivation: "engine/layers/reshaping.py",
    model: Model.create(TRACES.upsampling, { inputs, compute: Upsampling.compute, shapes, mistaken: "x",
                                             start: { array: "x", places: { x: [1, 1], y: [2, 2] } } }),
    options: [["Factor", "factor", Frame.wholeNumbers(2, 3)], ["Image rows", "rows", Frame.wholeNumbers(2, 4)],
              ["Image columns", "columns", Frame.wholeNumbers(2, 4)]],
    mistake: "The mistake beside it: the mean of the copies' gradients",
    levels: [["layer", "1 The layer", MovesLayer.create(operation)],
             ["sliding", "2 Copy by copy", MovesSliding.create(operation)],
             ["number", "3 One number", MovesNumber.create(operation)]],
  });

  return { id: "upsampling", name: "Upsampling", create };
})());
