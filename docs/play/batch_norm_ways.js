"use strict";

/* The three ways to one x: each with its formula, its numbers, its share of dx, and a switch that leaves it out. */
const BatchNormWays = (() => {
  const { make, check } = Elements;
  const four = (number) => Numbers.text(number, 4);
  const factor = (number) => Numbers.bracketed(number, 4);

  /** way -> [why, formula, the numbers in it], for x[k]. */
  const worked = ({ results: { mu, s, g, dm, dv }, inputs: { x } }, k) => ({
    direct: [`x[${k}] is in xhat[${k}].`, `s g[${k}]`, `${factor(s)} \u00d7 ${factor(g[k])}`],
    mean: [`x[${k}] moves mu by 1/M, and mu moves every xhat.`, "dL/dm / M", `${factor(dm)} / ${x.length}`],
    variance: [`x[${k}] moves var by 2 (x[${k}] \u2212 mu) / M, and var moves every xhat.`,
               `dL/dv 2 (x[${k}] \u2212 mu) / M`, `${factor(dv)} \u00d7 2 \u00d7 ${factor(x[k] - mu)} / ${x.length}`],
  });

  /** From where to where each share reaches, one after the other, as parts of the whole width. */
  const spans = (shares) => {
    let end = 0;
    const ends = shares.map((share) => [end, end += share]);
    const all = [0, ...ends.flat()];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const part = (number) => (high > low ? (100 * (number - low)) / (high - low) : 0);
    return { zero: part(0), spans: ends.map(([from, to]) => [part(Math.min(from, to)), part(Math.max(from, to))]) };
  };

  const bar = (name, [from, to], zero) => make("div", { class: "bar", "aria-hidden": "true" }, [
    make("span", { class: `fill ${name}`, style: `left: ${from}%; width: ${to - from}%` }),
    make("span", { class: "zero", style: `left: ${zero}%` })]);

  const create = (model) => {
    const drawing = BatchNormDrawing.create();
    const switches = new Map(BatchNorm.WAYS.map((way) => [way, check("Leave it out", false,
                                                                    (out) => model.leaveOut(way, out))]));
    const heading = make("h3");
    const cards = new Map(BatchNorm.WAYS.map((way) => [way, make("div", { class: "worked-way" })]));
    const total = make("p", { class: "sum", role: "status" });
    const item = (way) => make("li", { class: `card ${way}`, "data-way": way }, [
      make("div", { class: "card-head" }, [make("b", { text: BatchNormJudge.NAMES[way] }), switches.get(way).element]),
      cards.get(way)]);
    const element = make("section", { class: "ways", "aria-label": "the three ways to the loss" }, [heading,
      make("div", { class: "ways-beside" }, [drawing.element, make("ol", {}, BatchNorm.WAYS.map(item))]),
      total, make("p", { class: "source", text: "A bar begins where the one before it ends; the line is 0. That mu " +
                                                "moves var, too, does not count: x \u2212 mu sums to 0." })]);

    const show = () => {
      const { leftOut, results } = model;
      const k = model.k();
      const kept = BatchNorm.WAYS.filter((way) => !leftOut.includes(way));
      const { zero, spans: reach } = spans(kept.map((way) => results[way][k]));
      const texts = worked(model, k);
      heading.textContent = `The three ways from the loss to x[${k}]`;
      drawing.show(model);
      BatchNorm.WAYS.forEach((way) => {
        const [why, formula, numbers] = texts[way];
        switches.get(way).show(leftOut.includes(way));
        cards.get(way).replaceChildren(
          make("p", { text: why }),
          make("p", { class: "share" }, [make("code", { text: formula }), ` = ${numbers} = `,
                                         make("b", { text: four(results[way][k]) })]),
          kept.includes(way) ? bar(way, reach[kept.indexOf(way)], zero)
            : make("p", { class: "fails", text: "left out" }));
      });
      const sum = kept.map((way) => factor(results[way][k])).join(" + ") || "0";
      total.textContent = `dx[${k}]${leftOut.length ? ` without ${leftOut.join(", ")}` : ""} = ${sum} = ` +
                          `${four(BatchNorm.without(results, leftOut)[k])}` +
                          (leftOut.length ? `; the right one is ${four(results.dx[k])}` : "") +
                          " (each rounded to four decimals)";
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
