"use strict";

/*
 * The three ways as a drawing: from xhat back to x[k], straight, over mu and over var. Each way has its hue, its dashes
 * and its place; a way that is left out is crossed. The same numbers stand in the list beside it.
 */
const BatchNormDrawing = (() => {
  const XML = "http://www.w3.org/2000/svg";
  const LINES = {
    direct: "M 298 125 L 88 125",
    mean: "M 334 101 C 334 60, 300 34, 252 34 M 136 34 C 90 34, 52 60, 48 97",
    variance: "M 334 149 C 334 190, 300 216, 252 216 M 136 216 C 90 216, 52 190, 48 153",
  };
  const HEADS = { direct: [88, 125, 180], mean: [48, 101, 95], variance: [48, 149, 265] }; // at, degrees
  const CROSSES = { direct: [258, 125], mean: [304, 53], variance: [304, 197] };

  const draw = (tag, { text, ...attributes }, children = []) => {
    const element = document.createElementNS(XML, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    element.append(...children);
    return element;
  };

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

    const show = ({ results, inputs: { x }, k, leftOut }) => {
      const four = (number) => Numbers.text(number, 4);
      const { mu, g, s, dm, dv } = results;
      const total = BatchNorm.without(results, leftOut)[k];
      const M = x.length;
      element.setAttribute("aria-label", `The gradient reaches x[${k}] directly with ${four(results.direct[k])}, through ` +
        `the mean with ${four(results.mean[k])}, through the variance with ${four(results.variance[k])}` +
        `${leftOut.length ? `; left out: ${leftOut.join(", ")}` : ""}; together ${four(total)}.`);
      element.replaceChildren(
        ...BatchNorm.WAYS.map((name) => way(name, leftOut.includes(name))),
        box(8, 101, 80, [`x[${k}]`, four(total)]),
        box(298, 101, 74, ["xhat", `g[${k}] = ${Numbers.text(g[k])}`]),
        box(136, 10, 116, ["mu", `dL/dm = ${four(dm)}`]), box(136, 192, 116, ["var", `dL/dv = ${four(dv)}`]),
        words(193, 118, `\u00d7 s = ${Numbers.bracketed(s, 4)}`),
        words(66, 22, `\u00d7 1/${M}`), words(66, 240, `\u00d7 2 \u00b7 ${Numbers.bracketed(x[k] - mu, 2)} / ${M}`),
        words(140, 143, Numbers.signed(results.direct[k], 4), { class: "share" }),
        words(88, 76, Numbers.signed(results.mean[k], 4), { class: "share", "text-anchor": "start" }),
        words(88, 182, Numbers.signed(results.variance[k], 4), { class: "share", "text-anchor": "start" }),
      );
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
