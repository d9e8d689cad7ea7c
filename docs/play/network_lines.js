"use strict";

/* The listing: Algorithms 1 and 2, corrected, with the cursor at the line of the step. */
const NetworkLines = (() => {
  const { make } = Elements;

  /** [line, text, inside the loop]; the loss has no number. */
  const BLOCKS = [
    ["1", "Algorithm 1, forward", [[1, "o_0 = x"], [2, "for h = 1, \u2026, H\u22121"],
      [3, "a_h = o_{h\u22121} W_h + b_h", true], [4, "o_h = \u03c3(a_h)", true], [5, "end for"],
      [6, "a_H = o_{H\u22121} W_H + b_H"], [7, "\u0177 = o_H = \u03b3(a_H)"]]],
    ["l", "The loss", [[1, "l = \u00bd sum of (\u0177 \u2212 y)^2"]]],
    ["2", "Algorithm 2, backward", [[1, "G \u2190 d\u0177"], [2, "for h = H, \u2026, 1"],
      [3, "G \u2190 da_h = G \u2218 f\u2032(a_h)", true], [4, "db_h = G", true],
      [5, "dW_h = o_{h\u22121}^T G", true], [6, "G \u2190 do_{h\u22121} = G W_h^T", true], [7, "end for"]]],
  ];
  const PRINTED = { 5: "printed: dW_h = G \u2218 o_{h\u22121}", 6: "printed: G \u2190 G \u2218 W_h" };

  const typeset = (text) => NetworkLetters.typeset(text);

  const create = (model) => {
    const lines = [];
    const line = (block, [number, text, inside]) => {
      const h = make("span", { class: "h" });
      const printed = block === "2" && PRINTED[number]
        ? [make("span", { class: "printed" }, typeset(PRINTED[number]))] : [];
      const element = make("li", { class: inside ? "line inside" : "line", "data-line": `${block}.${number}` }, [
        make("span", { class: "line-number", text: block === "l" ? "" : `${number}` }),
        make("span", { class: "text" }, [make("code", {}, typeset(text)), h, ...printed])]);
      lines.push({ block, number, element, h, printed });
      return element;
    };
    const element = make("div", { class: "listing" }, BLOCKS.flatMap(([block, title, texts]) => [
      make("h3", { text: title }),
      make("ol", { class: "lines", "aria-label": title }, texts.map((each) => line(block, each)))]));

    const show = () => {
      lines.forEach(({ block, number, element: item, h, printed }) => {
        const { step } = model;
        const here = step.block === block && step.line === number;
        if (here) item.setAttribute("aria-current", "step");
        else item.removeAttribute("aria-current");
        h.textContent = here && step.h ? ` h = ${step.h}` : "";
        printed.forEach((span) => { span.hidden = !model.mistake; });
      });
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
