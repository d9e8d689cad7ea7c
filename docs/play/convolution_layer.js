"use strict";

/* Zoom 1, the layer: every array above its gradient, and which of their numbers have to do with what is picked. */
const ConvolutionLayer = (() => {
  const { make, row } = Elements;
  const text = (number) => Numbers.text(number);

  /** What is said about the picked number: what it is made of, what receives from it. */
  const sentence = (model, found) => {
    const { array, place: [i, j] } = model.picked;
    const { results: { sizes }, inputs } = model;
    const taps = inputs.W.length * inputs.W[0].length;
    const outputs = sizes.a.rows * sizes.a.columns;
    if (array === "a") {
      return `a[${i},${j}] is b plus ${taps} pixels of X, each times the weight that lies on it. So da[${i},${j}] = ` +
             `${text(inputs.da[i][j])} sends da times weight to those places of dX, da times pixel to every place of ` +
             "dW, and itself to db: the small numbers.";
    }
    if (array === "X") {
      const which = ConvolutionModel.isPixel(model, i, j) ? `X[${i},${j}]` : `X[${i},${j}], one of the zeros around x,`;
      return `${which} occurs in ${found.length} of ${outputs} outputs, each time another weight lies on it. So ` +
             `dX[${i},${j}] is the sum of the da of those outputs, each times that weight: the small numbers.`;
    }
    if (array === "W") {
      return `W[${i},${j}] occurs in every one of the ${outputs} outputs, each time it lies on another pixel. So ` +
             `dW[${i},${j}] is the sum of all da, each times that pixel: the small numbers.`;
    }
    return `b is added to every one of the ${outputs} outputs, so db is the sum of all da.`;
  };

  /** What flows: the contribution of the picked da to dX, dW, db; or the factors of the da that the picked one gets. */
  const flows = (model, found) => {
    const { array, place } = model.picked;
    const { inputs: { da, W }, results: { X } } = model;
    const notes = { dX: {}, dW: {}, da: {}, db: {} };
    for (const { a, W: w, X: x } of found) {
      const [gradient, weight, pixel] = [da[a[0]][a[1]], W[w[0]][w[1]], X[x[0]][x[1]]];
      if (array === "a") {
        notes.dX[x] = Numbers.signed(gradient * weight);
        notes.dW[w] = Numbers.signed(gradient * pixel);
        notes.db[[0, 0]] = Numbers.signed(da[place[0]][place[1]]);
      } else if (array !== "b") notes.da[a] = `\u00d7${Numbers.bracketed(array === "X" ? weight : pixel)}`;
    }
    return notes;
  };

  const create = (model) => {
    const matrix = (name, array, extra = {}) =>
      Matrix.create({ name, onPick: (i, j) => model.pick(array, i, j), scalar: array === "b", ...extra });
    const toPixels = (i, j) => [i - model.results.sizes.top, j - model.results.sizes.left];
    const parts = {
      X: matrix("X", "X", { onEdit: (i, j, number) => model.edit("x", number, ...toPixels(i, j)) }),
      W: matrix("W", "W", { onEdit: (i, j, number) => model.edit("W", number, i, j) }),
      b: matrix("b", "b", { onEdit: (i, j, number) => model.edit("b", number) }),
      a: matrix("a", "a"), dX: matrix("dX", "X"), dW: matrix("dW", "W"), db: matrix("db", "b"),
      da: matrix("da", "a", { onEdit: (i, j, number) => model.edit("da", number, i, j) }),
      wrong: matrix("dX not rotated", "X"),
    };
    const said = make("p", { class: "said", role: "status" });
    const judge = Judge.create();
    const pair = (...matrices) => make("div", { class: "pair" }, matrices);
    const element = make("div", {}, [
      said,
      make("div", { class: "pairs" }, [
        pair(parts.X.element, row(parts.dX.element, parts.wrong.element)),
        pair(parts.W.element, parts.dW.element, row(parts.b.element, parts.db.element)),
        pair(parts.a.element, parts.da.element)]),
      judge.element,
    ]);

    const isPixel = (i, j) => ConvolutionModel.isPixel(model, i, j);

    const show = () => {
      const { inputs, results, picked } = model;
      const found = ConvolutionLinks.of(results.sizes, picked);
      const takesPart = ConvolutionLinks.membership(found);
      const notes = flows(model, found);
      const marks = (array) => (i, j) => {
        if (picked.array === array && picked.place[0] === i && picked.place[1] === j) return ["picked"];
        return takesPart(array, i, j) ? ["linked"] : [];
      };
      const inX = (i, j) => [...marks("X")(i, j), ...(isPixel(i, j) ? [] : ["padding"])];
      const note = (name) => (i, j) => notes[name][[i, j]] || "";
      parts.X.show({ values: results.X, title: "image, with the zeros around it", marks: inX, editable: isPixel });
      parts.W.show({ values: inputs.W, title: "kernel", marks: marks("W") });
      parts.b.show({ values: [[inputs.b]], title: "bias", marks: marks("b") });
      parts.a.show({ values: results.a, title: "output", marks: marks("a") });
      parts.da.show({ values: inputs.da, title: "its gradient, given", marks: marks("a"), notes: note("da") });
      const { X, rows, columns } = results.sizes;
      parts.dX.show({ values: results.dX, marks: inX, notes: note("dX"),
                      title: X.rows > rows || X.columns > columns ? "gradient of X; dx is its inside"
                        : "gradient of the image" });
      parts.dW.show({ values: results.dW, title: "gradient of the kernel", marks: marks("W"), notes: note("dW") });
      parts.db.show({ values: [[results.db]], title: "its gradient", marks: marks("b"), notes: note("db") });
      parts.wrong.element.hidden = !model.mistake;
      parts.wrong.show({ values: results["dX not rotated"], title: "the mistake",
                         marks: (i, j) => [...inX(i, j), ...ConvolutionJudge.marks(model, i, j)] });
      said.textContent = sentence(model, found);
      judge.show(model.mistake ? ConvolutionJudge.judged(model) : null);
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
