"use strict";

/* Zoom 2 of a layer that only moves numbers: output by output, y as far as it is made, dx as far as it has received. */
const MovesSliding = (() => {
  const { make } = Elements;

  const create = (operation) => (model) => {
    const place = (i, j) => model.pick("y", i, j);
    const columns = () => model.results.y[0].length;
    const player = Player.create((k) => place(Math.floor(k / columns()), k % columns()));
    const parts = { x: Matrix.create({ name: "x" }), y: Matrix.create({ name: "y", onPick: place }),
                    dy: Matrix.create({ name: "dy", onPick: place }), dx: Matrix.create({ name: "dx so far" }),
                    mistaken: Matrix.create({ name: `${operation.mistakeName}, so far` }) };
    const said = make("p", { class: "said" });
    const element = make("div", {}, [said, player.element, make("div", { class: "board" },
                                                               Object.values(parts).map((part) => part.element))]);

    const show = () => {
      if (model.array !== "y") { // the steps are the outputs
        model.pick("y");
        return;
      }
      const { inputs: { x, dy }, results, picked } = model;
      const [i, j] = picked.place;
      const reached = (m, n) => m < i || (m === i && n <= j);
      const links = Moves.of(results.links, picked);
      const past = results.links.filter((link) => reached(...link.y));
      const [sofar, mistaken] = ["factor", "mistaken"].map((factor) => Moves.backward(x, dy, past, factor));
      const linked = (p, q) => {
        const link = links.find((candidate) => Moves.same(candidate.x, [p, q]));
        return link ? ["kernel", operation.mark(link)] : [];
      };
      const output = (m, n) => [...(Moves.same([m, n], picked.place) ? ["picked"] : []),
                                ...(reached(m, n) ? [] : ["pending"])];
      const gets = (factor) => (p, q) => {
        const link = links.find((candidate) => Moves.same(candidate.x, [p, q]));
        return link ? Numbers.signed(link[factor] * dy[i][j]) : "";
      };
      parts.x.show({ values: x, title: operation.windowTitle, marks: linked });
      parts.y.show({ values: results.y, title: "output", marks: output, blank: (m, n) => !reached(m, n) });
      parts.dy.show({ values: dy, title: "its gradient, given", marks: output });
      parts.dx.show({ values: sofar, title: "gradient of the image", marks: linked, notes: gets("factor") });
      parts.mistaken.element.hidden = !model.mistake;
      parts.mistaken.show({ values: mistaken, title: "the mistake", notes: gets("mistaken"),
                            marks: (p, q) => [...linked(p, q), ...MovesLayer.wrong({ dx: sofar, mistaken })(p, q)] });
      said.textContent = operation.said(model, links);
      player.show(i * columns() + j, results.y.flat().length);
    };
    return { element, show, stop: player.stop };
  };

  return Object.freeze({ create });
})();
