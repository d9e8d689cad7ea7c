"use strict";

/* The judge of dx: finite differences of L = sum of dy y, and what can be seen with these dy at all. */
const BatchNormJudge = (() => {
  const { make } = Elements;
  const NAMES = { direct: "directly", mean: "through the mean", variance: "through the variance" };

  const measure = ({ inputs, results: { s } }, k) => Differences.measure(
    ([moved]) => BatchNorm.loss({ ...inputs, x: moved }), [inputs.x], 0, k, Differences.step(1 / s));

  const slopes = (model) => model.inputs.x.map((_, k) => measure(model, k).slope);

  const largest = ({ results }, k) => Math.max(...BatchNorm.WAYS.map((way) => Math.abs(results[way][k])));

  const list = (ways) => ways.map((way) => NAMES[way]).join("; ");

  /** What a check with these dy would notice: computed, by leaving out each way in turn. */
  const blindness = (model) => {
    const seen = BatchNormModel.seen(model);
    const unseen = BatchNorm.WAYS.filter((way) => !seen.includes(way));
    const { dx } = model.results;
    const { dy } = model.inputs;
    const zero = dy.every((gradient) => gradient === dy[0]) && dx.every((number) => !Differences.differs(number, 0));
    return (zero ? "All dy are alike, so dx is 0 whatever x is: the way through the mean takes away what comes " +
                   "directly, and the way through the variance is 0. " : "") +
           (unseen.length ? `A check with these dy does not see it if this way is left out: ${list(unseen)}.`
             : "A check with these dy sees it if any one of the three ways is left out.");
  };

  const create = (model) => {
    const said = make("p");
    const verdicts = make("ul");
    const blind = make("p", { class: "blindness", role: "status" });
    const element = make("section", { class: "judge", "aria-label": "the judge: a finite difference" },
                         [said, verdicts, blind]);

    const show = () => {
      const { leftOut, results } = model;
      const k = model.k();
      const measured = measure(model, k);
      const scale = largest(model, k);
      const wrong = BatchNorm.without(results, leftOut)[k];
      said.textContent = `The judge: L is the sum of dy times y. ${Differences.sentence(`x[${k}]`, "L", measured)}`;
      verdicts.replaceChildren(
        Differences.verdict(`dx[${k}]`, results.dx[k], measured, scale),
        ...(leftOut.length
          ? [Differences.verdict(`dx[${k}] without ${leftOut.join(", ")}`, wrong, measured, scale)] : []));
      blind.textContent = blindness(model);
    };
    return { element, show };
  };

  return Object.freeze({ create, slopes, measure, largest, NAMES });
})();
