"use strict";

/*
 * Zoom 1 of a layer that only moves numbers: x and y above their gradients, and what is linked to what is picked.
 *
 * The layer's view gives `operation`: mark(link), how a linked pixel is marked; said(model, links), the sentence on
 * what is picked; mistakeName and judged(model), for the mistake and its judge.
 */
const MovesLayer = (() => {
  const { make, row } = Elements;

  /** Marks of a matrix of outputs ("y") or pixels ("x"). */
  const marks = (operation, { picked }, links) => (array) => (i, j) => {
    if (picked.array === array && Moves.same(picked.place, [i, j])) return ["picked"];
    const link = links.find((candidate) => Moves.same(candidate[array], [i, j]));
    return link ? [array === "x" ? operation.mark(link) : "linked"] : [];
  };

  /** What goes along the links: a contribution to dx from a picked output, the factors of a picked pixel's outputs. */
  const notes = ({ picked, inputs: { dy } }, links, array, factor = "factor") => (i, j) => {
    const link = picked.array !== array && links.find((candidate) => Moves.same(candidate[array], [i, j]));
    if (!link) return "";
    const [m, n] = link.y;
    return array === "x" ? Numbers.signed(link[factor] * dy[m][n]) : `\u00d7${Numbers.text(link[factor])}`;
  };

  const wrong = ({ dx, mistaken }) => (p, q) => (Judge.differs(dx[p][q], mistaken[p][q]) ? ["wrong"] : []);

  const create = (operation) => (model) => {
    const matrix = (name, array, onEdit) => Matrix.create({ name, onPick: (i, j) => model.pick(array, i, j), onEdit });
    const edit = (name) => (i, j, number) => model.edit(name, number, i, j);
    const parts = { x: matrix("x", "x", edit("x")), y: matrix("y", "y"), dy: matrix("dy", "y", edit("dy")),
                    dx: matrix("dx", "x"), mistaken: matrix(operation.mistakeName, "x") };
    const said = make("p", { class: "said", role: "status" });
    const judge = Judge.create();
    const pair = (...elements) => make("div", { class: "pair" }, elements);
    const element = make("div", {}, [said, make("div", { class: "pairs" }, [
      pair(parts.x.element, row(parts.dx.element, parts.mistaken.element)),
      pair(parts.y.element, parts.dy.element)]), judge.element]);

    const show = () => {
      const { inputs, results } = model;
      const links = Moves.of(results.links, model.picked);
      const marked = marks(operation, model, links);
      const differing = (p, q) => [...marked("x")(p, q), ...wrong(results)(p, q)];
      parts.x.show({ values: inputs.x, title: "image", marks: marked("x") });
      parts.y.show({ values: results.y, title: "output", marks: marked("y") });
      parts.dy.show({ values: inputs.dy, title: "its gradient, given", marks: marked("y"),
                      notes: notes(model, links, "y") });
      parts.dx.show({ values: results.dx, title: "gradient of the image", marks: marked("x"),
                      notes: notes(model, links, "x") });
      parts.mistaken.element.hidden = !model.mistake;
      parts.mistaken.show({ values: results.mistaken, title: "the mistake", marks: differing,
                            notes: notes(model, links, "x", "mistaken") });
      said.textContent = operation.said(model, links);
      judge.show(model.mistake ? operation.judged(model) : null);
    };
    return { element, show };
  };

  return Object.freeze({ create, wrong });
})();
