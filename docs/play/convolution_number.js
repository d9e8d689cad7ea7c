"use strict";

/* Zoom 3, one number: the formula, every product and the sum, and the finite difference as the judge. */
const ConvolutionNumber = (() => {
  const { make, oneOf, table } = Elements;
  const CHOICES = [["a", "a"], ["X", "dX"], ["W", "dW"], ["b", "db"]];
  const FORMULAS = { a: ["a"], X: ["dX", "short dX", "D"], W: ["dW"], b: ["db"] };

  const equals = (name, number) => `${name} = ${Numbers.text(number)}`;

  /** One sliding's products; with the mistake, its weights and products stand beside the right ones. */
  const products = (sliding, place, wrong) => {
    const written = ({ right, weight, product, total }) =>
      [equals(right, weight), Numbers.text(product), Numbers.text(total)];
    const mistaken = wrong ? ConvolutionSlidings.terms(wrong, place).map(written) : [];
    const rows = ConvolutionSlidings.terms(sliding, place).map((term, k) =>
      [equals(term.left, term.pixel), ...written(term), ...(wrong ? mistaken[k] : [])]);
    const b = sliding.result.name === "a" ? [["", "", equals("b", sliding.start), Numbers.text(sliding.start)]] : [];
    return table([sliding.field.name, sliding.kernel.name, "product", "sum so far",
                  ...(wrong ? ["not rotated", "product", "sum so far"] : [])], [...b, ...rows]);
  };

  const ofBias = ({ inputs: { da } }) => {
    let total = 0;
    return table(["da", "sum so far"], da.flatMap((row, i) => row.map((gradient, j) => {
      total += gradient;
      return [equals(`da[${i},${j}]`, gradient), Numbers.text(total)];
    })));
  };

  const create = (model) => {
    const which = oneOf("Which number", CHOICES, model.array, (array) => model.pick(array));
    const pickers = new Map(CHOICES.map(([array, name]) => [array, Matrix.create({
      name, onPick: (i, j) => model.pick(array, i, j), scalar: array === "b" })]));
    const formula = make("p", { class: "formula" });
    const result = make("p", { class: "result", role: "status" });
    const written = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "every product" });
    const judge = Judge.create();
    const element = make("div", {}, [which.element, make("div", { class: "beside" }, [
      make("div", {}, [...pickers.values()].map((picker) => picker.element)),
      make("div", { class: "worked" }, [formula, result, written, judge.element]),
    ])]);

    const show = () => {
      const { array, picked: { place: [i, j] }, results, trace: { formulas } } = model;
      const name = array === "a" ? "a" : `d${array}`;
      const values = array === "b" ? [[results.db]] : results[name];
      which.show(array);
      pickers.forEach((picker, key) => { picker.element.hidden = key !== array; });
      pickers.get(array).show({ values, title: "pick another one", marks: (m, n) => [
        ...(m === i && n === j ? ["picked"] : []),
        ...(array === "X" && !ConvolutionModel.isPixel(model, m, n) ? ["padding"] : [])] });
      formula.replaceChildren(...FORMULAS[array].map((key) => make("code", { text: formulas[key] })));
      const wrong = model.mistake && array === "X" ? ConvolutionSlidings.notRotated(model) : null;
      result.textContent = equals(array === "b" ? "db" : `${name}[${i},${j}]`, values[i][j]) +
        (wrong ? `; not rotated it would be ${Numbers.text(wrong.result.values[i][j])}` : "");
      written.replaceChildren(array === "b" ? ofBias(model)
        : products(ConvolutionSlidings.of(array, model), [i, j], wrong));
      judge.show(ConvolutionJudge.judged(model));
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
