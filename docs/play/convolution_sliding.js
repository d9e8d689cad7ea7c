"use strict";

/* Zoom 2, the sliding kernel: forward and backward are one operation, place by place. */
const ConvolutionSliding = (() => {
  const { make, oneOf } = Elements;

  /** What slides over what, for each of the three; the table of convolution.js. */
  const slidings = ({ inputs: { W, b, da, stride }, results }) => ({
    a: { field: results.X, fieldName: "X", fieldTitle: "image, with the zeros around it", kernel: W, kernelName: "W",
         kernelTitle: "kernel", result: results.a, resultName: "a", resultTitle: "output", step: stride, apart: 1,
         start: b, startName: "b" },
    X: { field: results.D, fieldName: "D", fieldTitle: "da, with zeros between and around", kernel: Convolution.rotated(W),
         kernelName: "rot180(W)", kernelTitle: "kernel, rotated", result: results.dX, resultName: "dX",
         resultTitle: "gradient of the image", step: 1, apart: 1 },
    W: { field: results.X, fieldName: "X", fieldTitle: "image, with the zeros around it", kernel: da, kernelName: "da",
         kernelTitle: "gradient of the output, as a kernel", result: results.dW, resultName: "dW",
         resultTitle: "gradient of the kernel", step: 1, apart: stride },
  });

  const CHOICES = [["a", "forward: a"], ["X", "backward: dX"], ["W", "backward: dW"]];

  const statement = ({ formulas }, { stride }) => ({
    a: `The kernel W lies on X; what lies on each other is multiplied and added up, and b is added (3.37). ` +
       `The next place is ${stride === 1 ? "one pixel" : `${stride} pixels`} on.`,
    X: `The kernel, rotated by 180 degrees, slides over D: ${formulas["short dX"]}. D is da with ` +
       `${stride - 1 || "no"} ${stride === 2 ? "zero" : "zeros"} between its numbers, and zeros around.`,
    W: `da slides over X as if it were a kernel, (3.42)` +
       `${stride === 1 ? "." : `; its numbers lie ${stride} pixels apart.`}`,
  });

  /** The three matrices of one sliding; `names` are fixed, the numbers come with show(). */
  const board = (onPlace) => {
    const make3 = (names) => ({
      field: Matrix.create({ name: names.fieldName }), kernel: Matrix.create({ name: names.kernelName }),
      result: Matrix.create({ name: names.resultName, onPick: onPlace }),
    });
    const element = make("div", { class: "board" });
    let [parts, shownNames] = [null, ""];

    const show = (sliding, [i, j], { isPadding, isZero, wrong }) => {
      const { field, kernel, result, step, apart } = sliding;
      const names = [sliding.fieldName, sliding.kernelName, sliding.resultName].join();
      if (names !== shownNames) { // other matrices than before
        [parts, shownNames] = [make3(sliding), names];
        element.replaceChildren(parts.field.element, parts.kernel.element, parts.result.element);
      }
      const products = Convolution.products(field, kernel, step * i, step * j, apart);
      const under = new Map(products.map((term) => [String([term.p, term.q]), term]));
      const reached = (m, n) => m < i || (m === i && n <= j);
      parts.field.show({ values: field, title: sliding.fieldTitle,
                         marks: (p, q) => [...(under.has(String([p, q])) ? ["kernel"] : []),
                                           ...(isZero(p, q) ? ["padding"] : [])],
                         notes: (p, q) => (under.has(String([p, q]))
                           ? `\u00d7${Numbers.bracketed(under.get(String([p, q])).weight)}` : "") });
      parts.kernel.show({ values: kernel, title: sliding.kernelTitle, marks: () => ["kernel"] });
      parts.result.show({ values: result, title: sliding.resultTitle, blank: (m, n) => !reached(m, n),
                          marks: (m, n) => [...(m === i && n === j ? ["picked"] : []),
                                            ...(reached(m, n) ? wrong(m, n) : ["pending"]),
                                            ...(isPadding(m, n) ? ["padding"] : [])] });
      return products;
    };
    return { element, show };
  };

  const sum = (sliding, [i, j], products) => {
    const digits = Numbers.decimals(products.map(({ product }) => product));
    const terms = products.map(({ product }) => Numbers.bracketed(product, digits));
    const start = sliding.start === undefined ? [] : [Numbers.bracketed(sliding.start)];
    return `${sliding.resultName}[${i},${j}] = ${[...start, ...terms].join(" + ")} = ` +
           Numbers.text(sliding.result[i][j]);
  };

  const create = (model) => {
    const place = (i, j) => model.pick(model.array, i, j);
    const which = oneOf("What slides", CHOICES, model.array, (array) => model.pick(array));
    const [right, mistaken] = [board(place), board(place)];
    const [said, total, wrongTotal] = ["said", "sum", "sum wrong-sum"].map((name) => make("p", { class: name }));
    const judge = ConvolutionJudge.create(model);
    const player = Player.create((k) => {
      const { columns } = sizes();
      model.pick(model.array, Math.floor(k / columns), k % columns);
    });
    const wrongPart = make("div", { class: "mistaken" }, [make("h3", { text: "The mistake: the kernel is not rotated" }),
                                                          mistaken.element, wrongTotal]);
    const element = make("div", {}, [which.element, said, player.element, right.element, total, wrongPart,
                                     judge.element]);
    const sizes = () => {
      const { result } = slidings(model)[model.array];
      return { rows: result.length, columns: result[0].length };
    };

    const show = () => {
      if (model.array === "b") { // nothing slides for b
        model.pick("a");
        return;
      }
      const { array, picked: { place: at }, results } = model;
      const sliding = slidings(model)[array];
      const isPadding = (m, n) => array === "X" && !model.isPixel(m, n);
      const isZero = (p, q) => (array === "X" ? !Convolution.outputAt(p, q, results.sizes) : !model.isPixel(p, q));
      which.show(array);
      said.textContent = statement(model.trace, model.options)[array];
      total.textContent = sum(sliding, at, right.show(sliding, at, { isPadding, isZero, wrong: () => [] }));
      player.show(at[0] * sizes().columns + at[1], sizes().rows * sizes().columns);
      wrongPart.hidden = !(model.mistake && array === "X");
      if (!wrongPart.hidden) {
        const mistake = { ...sliding, kernel: model.inputs.W, kernelName: "W", kernelTitle: "kernel, as it is",
                          result: results["dX not rotated"], resultName: "dX not rotated" };
        const wrong = (m, n) => ConvolutionJudge.marks(model, m, n);
        wrongTotal.textContent = sum(mistake, at, mistaken.show(mistake, at, { isPadding, isZero, wrong }));
      }
      judge.show(!wrongPart.hidden);
    };
    return { element, show, stop: player.stop };
  };

  return Object.freeze({ create });
})();
