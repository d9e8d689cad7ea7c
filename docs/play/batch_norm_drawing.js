"use strict";

/*
 * The three ways as a drawing: from xhat back to x[k], straight, over mu and over var. Each way has its hue, its dashes
 * and its place; a way that is left out is crossed. The same numbers stand in the list beside it.
 */
const BatchNormDrawing = (() => {
  const XML = "http://www.w3.org/2000/svg";
  const LINES = {
    direct: "M 276 125 L 112 125",
    mean: "M 328 101 C 328 60, 300 34, 260 34 M 128 34 C 90 34, 58 60, 54 97",
    variance: "M 328 149 C 328 190, 300 216, 260 216 M 128 216 C 90 216, 58 190, 54 153",
  };
  const HEADS = { direct: [110, 125, 180], mean: [54, 101, 95], variance: [54, 149, 265] }; // at, degrees
  const CROSSES = { direct: [252, 125], mean: [304, 50], variance: [304, 200] };

  const draw = (tag, { text, ...attributes }, children = []) => {
    const element = document.createElementNS(XML, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    element.append(...children);
    return element;
  };

  /** Four decimals, or five digits where the number is large: short enough for a box. */
  const short = (number) => (Math.abs(number) < 100 ? Numbers.text(number, 4)
    : number.toPrecision(5).replace("-", "\u2212"));

  const words = (x, y, text, attributes = {}) => draw("text", { x, y, text, "text-anchor": "middle", ...attributes });

  const box = (x, y, width, lines) => draw("g", { class: "node" }, [
    draw("rect", { x, y, width, height: 48, rx: 5 }),
    ...lines.map((text, n) => words(x + width / 2, y + 20 + 19 * n, text, n ? {} : { class: "name" })),
  ]);

  const way = (name, leftOut) => {
    const [x, y, turn] = HEADS[name];
    const [a, b] = CROSSES[name];
    return draw("g", { class: `way ${name}${leftOut ? " left-out" : ""}` }, [
      draw("path", { d: LINES[name] }),
      draw("polygon", { points: "0,0 -10,-5 -10,5", transform: `translate(${x} ${y}) rotate(${turn})` }),
      ...(leftOut ? [draw("path", { class: "cross", d: `M ${a - 9} ${b - 9} l 18 18 m 0 -18 l -18 18` })] : []),
    ]);
  };

  const create = () => {
    const element = draw("svg", { viewBox: "0 0 380 250", role: "img", class: "ways-drawing" });

    const show = ({ results, inputs: { x }, leftOut, k: followed }) => {
      const { mu, g, s, dm, dv } = results;
      const k = followed();
      const total = BatchNorm.without(results, leftOut)[k];
      const M = x.length;
      element.setAttribute("aria-label",
        `The gradient reaches x[${k}] directly with ${short(results.direct[k])}, through the mean with ` +
        `${short(results.mean[k])}, through the variance with ${short(results.variance[k])}` +
        `${leftOut.length ? `; left out: ${leftOut.join(", ")}` : ""}; together ${short(total)}.`);
      element.replaceChildren(
        ...BatchNorm.WAYS.map((name) => way(name, leftOut.includes(name))),
        box(4, 101, 106, [`x[${k}]`, `dx = ${short(total)}`]), box(276, 101, 102, ["xhat", `g[${k}] = ${short(g[k])}`]),
        box(128, 10, 132, ["mu", `dL/dm = ${short(dm)}`]), box(128, 192, 132, ["var", `dL/dv = ${short(dv)}`]),
        words(194, 118, `\u00d7 s = ${short(s)}`), words(64, 22, `\u00d7 1/${M}`),
        words(64, 242, `\u00d7 2 \u00b7 ${Numbers.bracketed(x[k] - mu, 2)} / ${M}`),
        ...[["direct", 124, 143], ["mean", 94, 76], ["variance", 94, 182]].map(([name, left, y]) =>
          words(left, y, short(results[name][k]), { class: "share", "text-anchor": "start" })),
      );
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
