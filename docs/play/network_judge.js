"use strict";

/* The judge of one chosen weight, bias or input: the finite difference of the loss, against what Algorithm 2 wrote. */
const NetworkJudge = (() => {
  const { make } = Elements;
  const { name, at } = NetworkLetters;
  const KEY = { o0: "x" }; // o0 is the input x

  const loss = ({ inputs }, array) => (moved) => Network.forward({ ...inputs, [KEY[array] || array]: moved }).l;

  /** The largest factor that the chosen number is multiplied by. */
  const factor = ({ arrays, picked: { array, place: [i] } }) => {
    if (array === "o0") return Math.max(...arrays.W1.flat().map(Math.abs));
    return /W/.test(array) ? Math.abs(arrays[array === "W1" ? "o0" : "o1"][0][i]) : 1;
  };

  /** { above, below, h, slope, error, kink }: kink where some a1 changes sides of ReLU's kink within 2h. */
  const measure = (model) => {
    const { array, place: [i, j] } = model.picked;
    const key = KEY[array] || array;
    const matrix = model.inputs[key];
    const h = Differences.step(1 / Math.max(1, factor(model)));
    const active = (move) => String(Network.forward({ ...model.inputs, [key]: Matrices.replaced(
      matrix, i, j, matrix[i][j] + move) }).a1[0].map((a) => a > 0));
    const kink = model.inputs.sigma === "ReLU" && new Set([active(0), active(2 * h), active(-2 * h)]).size > 1;
    return { ...Differences.measure(loss(model, array), matrix, i, j, h), kink };
  };

  const largest = (matrix) => Math.max(...matrix.flat().map(Math.abs));

  /** The verdicts on what Algorithm 2 wrote and, with the misprint on, on what it would have written. */
  const verdicts = (model, measured) => {
    const { picked: { array, place }, arrays } = model;
    const [gradient, [i, j]] = [`d${array}`, place];
    const scale = largest(arrays[gradient]);
    if (measured.kink) {
      return [make("li", { text: "No verdict: within this step some a\u2081 is at the kink of ReLU, where there are " +
                                 "two slopes. Change a number a little." })];
    }
    const right = model.known(gradient)
      ? Differences.verdict(at(gradient, place), arrays[gradient][i][j], measured, scale)
      : make("li", { text: `${at(gradient, place)} is not written yet: go on to the line that writes ` +
                           `${name(gradient)}.` });
    const printed = model.mistake && /W/.test(array) ? model.asPrinted(Number(array[1])).outer : null;
    return [right, ...(printed ? [Differences.verdict(`${at(gradient, place)} as printed`, printed[i][j], measured,
                                                      scale)] : [])];
  };

  const create = (model) => {
    const said = make("p");
    const list = make("ul", { "aria-live": "polite" });
    const element = make("section", { class: "judge", "aria-label": "the judge: a finite difference" }, [said, list]);

    const show = () => {
      const { array, place } = model.picked;
      const measured = measure(model);
      said.textContent = `The judge: ${Differences.sentence(at(array, place), "l", measured)} ` +
                         "Pick another weight, bias or input among the arrays below.";
      list.replaceChildren(...verdicts(model, measured));
    };
    return { element, show };
  };

  return Object.freeze({ create, measure, largest });
})();
