"use strict";

/* Zoom 2, the sliding kernel: forward and backward are one operation, place by place. */
const ConvolutionSliding = (() => {
  const { make, oneOf } = Elements;

  const CHOICES = [["a", "forward: a"], ["X", "backward: dX"], ["W", "backward: dW"]];

  const statement = ({ formulas }, { stride }) => ({
    a: "The kernel W lies on X; what lies on each other is multiplied and added up, and b is added (3.37). " +
       `The next place is ${stride === 1 ? "one pixel" : `${stride} pixels`} on.`,
    X: `The kernel, rotated by 180 degrees, slides over D: ${formulas["short dX"]}. D is da with ` +
       `${stride - 1 || "no"} ${stride === 2 ? "zero" : "zeros"} between its numbers, and zeros around.`,
    W: "da slides over X as if it were a kernel (3.42)" +
       `${stride === 1 ? "." : `; its numbers lie ${stride} pixels apart.`}`,
  });

  /** The three matrices of one sliding. The names of a sliding stay, its numbers come with show(). */
  const board = (onPlace) => {
    const element = make("div", { class: "board" });
    let [parts, names] = [{}, ""];

    const build = ({ field, kernel, result }) => {
      parts = { field: Matrix.create({ name: field.name }), kernel: Matrix.create({ name: kernel.name }),
                result: Matrix.create({ name: result.name, onPick: onPlace }) };
      names = [field.name, kernel.name, result.name].join();
      element.replaceChildren(...Object.values(parts).map((part) => part.element));
    };

    const show = (sliding, [i, j], { outside, putIn, wrong }) => {
      const { field, kernel, result } = sliding;
      if (names !== [field.name, kernel.name, result.name].join()) build(sliding);
      const under = new Map(ConvolutionSlidings.terms(sliding, [i, j]).map((term) => [String([term.p, term.q]), term]));
      const reached = (m, n) => m < i || (m === i && n <= j);
      parts.field.show({ ...field, marks: (p, q) => [...(under.has(String([p, q])) ? ["kernel"] : []),
                                                     ...(putIn(p, q) ? ["padding"] : [])],
                         notes: (p, q) => (under.has(String([p, q]))
                           ? `\u00d7${Numbers.bracketed(under.get(String([p, q])).weight)}` : "") });
      parts.kernel.show({ ...kernel, marks: () => ["kernel"] });
      parts.result.show({ ...result, blank: (m, n) => !reached(m, n),
                          marks: (m, n) => [...(m === i && n === j ? ["picked"] : []),
                                            ...(reached(m, n) ? wrong(m, n) : ["pending"]),
                                            ...(outside(m, n) ? ["padding"] : [])] });
    };
    return { element, show };
  };

  /** The sum in one line: "a[0,1] = 1 + 6 + (-2) = 5". */
  const sum = (sliding, [i, j]) => {
    const products = ConvolutionSlidings.terms(sliding, [i, j]).map(({ product }) => product);
    const summands = sliding.start === 0 ? products : [sliding.start, ...products];
    const digits = Numbers.decimals(summands);
    const written = summands.map((number) => Numbers.bracketed(number, digits)).join(" + ");
    return `${sliding.result.name}[${i},${j}] = ${written} = ${Numbers.text(sliding.result.values[i][j])}`;
  };

  const create = (model) => {
    const place = (i, j) => model.pick(model.array, i, j);
    const which = oneOf("What slides", CHOICES, model.array, (array) => model.pick(array));
    const [right, mistaken] = [board(place), board(place)];
    const [said, total, wrongTotal] = ["said", "sum", "sum"].map((name) => make("p", { class: name }));
    const judge = Judge.create();
    const isPixel = (p, q) => ConvolutionModel.isPixel(model, p, q);
    const columns = () => ConvolutionSlidings.of(model.array, model).result.values[0].length;
    const player = Player.create((k) => place(Math.floor(k / columns()), k % columns()));
    const mistake = make("div", { class: "mistaken" }, [make("h3", { text: "The mistake: the kernel is not rotated" }),
                                                        mistaken.element, wrongTotal]);
    const element = make("div", {}, [which.element, said, player.element, right.element, total, mistake,
                                     judge.element]);

    const show = () => {
      if (model.array === "b") { // nothing slides for b
        model.pick("a");
        return;
      }
      const { array, picked: { place: at }, results } = model;
      const sliding = ConvolutionSlidings.of(array, model);
      const marks = {
        outside: (m, n) => array === "X" && !isPixel(m, n), wrong: () => [],
        putIn: (p, q) => (array === "X" ? !Convolution.outputAt(p, q, results.sizes) : !isPixel(p, q)),
      };
      which.show(array);
      said.textContent = statement(model.trace, model.options)[array];
      right.show(sliding, at, marks);
      total.textContent = sum(sliding, at);
      player.show(at[0] * columns() + at[1], sliding.result.values.flat().length);
      mistake.hidden = !(model.mistake && array === "X");
      if (!mistake.hidden) {
        const wrong = ConvolutionSlidings.notRotated(model);
        mistaken.show(wrong, at, { ...marks, wrong: (m, n) => ConvolutionJudge.marks(model, m, n) });
        wrongTotal.textContent = sum(wrong, at);
      }
      judge.show(mistake.hidden ? null : ConvolutionJudge.judged(model));
    };
    return { element, show, stop: player.stop };
  };

  return Object.freeze({ create });
})();
