"use strict";

/* Zoom 3 of a layer that only moves numbers: one y or dx, every factor and product, and the judge. */
const MovesNumber = (() => {
  const { make, oneOf, table } = Elements;
  const equals = (name, [i, j], values) => `${name}[${i},${j}] = ${Numbers.text(values[i][j])}`;

  /** The rows "number, factor, product, sum so far" of the picked y or dx. */
  const rows = ({ picked: { array }, inputs: { x, dy } }, links, factor) => {
    let total = 0;
    return links.map((link) => {
      const [name, place, values] = array === "y" ? ["x", link.x, x] : ["dy", link.y, dy];
      const product = link[factor] * values[place[0]][place[1]];
      total += product;
      return [equals(name, place, values), ...[link[factor], product, total].map((number) => Numbers.text(number))];
    });
  };

  const create = (operation) => (model) => {
    const which = oneOf("Which number", [["y", "y"], ["x", "dx"]], model.array, (array) => model.pick(array));
    const pickers = new Map([["y", "y"], ["x", "dx"]].map(([array, name]) => [array, Matrix.create({
      name, onPick: (i, j) => model.pick(array, i, j) })]));
    const [formula, result] = ["formula", "result"].map((name) => make("p", { class: name }));
    const written = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "every product" });
    const judge = Judge.create();
    const element = make("div", {}, [which.element, make("div", { class: "beside" }, [
      make("div", {}, [...pickers.values()].map((picker) => picker.element)),
      make("div", { class: "worked" }, [formula, result, written, judge.element])])]);

    const show = () => {
      const { picked: { array, place }, results, trace, mistake } = model;
      const links = Moves.of(results.links, model.picked);
      const values = { y: results.y, x: results.dx }[array];
      which.show(array);
      pickers.forEach((picker, key) => { picker.element.hidden = key !== array; });
      pickers.get(array).show({ values, title: "pick another one",
                                marks: (i, j) => (Moves.same([i, j], place) ? ["picked"] : []) });
      formula.replaceChildren(make("code", { text: trace.formulas.y }));
      const wrong = mistake && array === "x";
      result.textContent = equals(array === "y" ? "y" : "dx", place, values) +
        (wrong ? `; with the mistake ${Numbers.text(results.mistaken[place[0]][place[1]])}` : "");
      const heads = [array === "y" ? "x" : "dy", operation.factorName, "product", "sum so far"];
      const mistaken = wrong ? rows(model, links, "mistaken").map((cells) => cells.slice(1)) : links.map(() => []);
      written.replaceChildren(links.length === 0 ? make("p", { text: operation.unlinked })
        : table([...heads, ...(wrong ? ["the mistake", "product", "sum so far"] : [])],
                rows(model, links, "factor").map((cells, k) => [...cells, ...mistaken[k]])));
      judge.show(operation.judged(model));
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
