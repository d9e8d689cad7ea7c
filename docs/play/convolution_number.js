"use strict";

/* Zoom 3, one number: the formula, every product and the sum, and the finite difference as the judge. */
const ConvolutionNumber = (() => {
  const { make, oneOf } = Elements;
  const CHOICES = [["a", "a"], ["X", "dX"], ["W", "dW"], ["b", "db"]];
  const FORMULAS = { a: ["a"], X: ["dX", "short dX", "D"], W: ["dW"], b: ["db"] };

  const cell = (text) => make("td", { text });
  const equals = (name, number) => `${name} = ${Numbers.text(number)}`;

  const table = (heads, rows) => make("table", {}, [
    make("thead", {}, [make("tr", {}, heads.map((text) => make("th", { scope: "col", text })))]),
    make("tbody", {}, rows.map((cells) => make("tr", {}, cells))),
  ]);

  /** One sliding's products; with the mistake, its weights and products stand beside the right ones. */
  const products = (sliding, place, wrong) => {
    const mistaken = wrong ? ConvolutionSlidings.terms(wrong, place) : [];
    const rows = ConvolutionSlidings.terms(sliding, place).map((term, k) => {
      const { left, pixel, right, weight, product, total } = term;
      return [cell(equals(left, pixel)), cell(equals(right, weight)), cell(Numbers.text(product)),
              cell(Numbers.text(total)),
              ...(wrong ? [cell(equals(mistaken[k].right, mistaken[k].weight)), cell(Numbers.text(mistaken[k].product)),
                           cell(Numbers.text(mistaken[k].total))] : [])];
    });
    const b = sliding.start === 0 && sliding.result.name !== "a" ? []
      : [[cell(""), cell(""), cell(equals("b", sliding.start)), cell(Numbers.text(sliding.start))]];
    const heads = [sliding.field.name, sliding.kernel.name, "product", "sum so far"];
    return table([...heads, ...(wrong ? ["not rotated", "product", "sum so far"] : [])], [...b, ...rows]);
  };

  const ofBias = ({ inputs: { da } }) => {
    let total = 0;
    return table(["da", "sum so far"], da.flatMap((row, i) => row.map((gradient, j) => {
      total += gradient;
      return [cell(equals(`da[${i},${j}]`, gradient)), cell(Numbers.text(total))];
    })));
  };

  const create = (model) => {
    const which = oneOf("Which number", CHOICES, model.array, (array) => model.pick(array));
    const pickers = new Map(CHOICES.map(([array, name]) => [array, Matrix.create({
      name, onPick: (i, j) => model.pick(array, i, j), scalar: array === "b" })]));
    const formula = make("p", { class: "formula" });
    const result = make("p", { class: "result", role: "status" });
    const written = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "every product" });
    const judge = ConvolutionJudge.create(model);
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
      judge.show(true);
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
