"use strict";

/* Batch norm: a small batch of one channel, forward, and the three ways back. */
(() => {
  const { make, button, row } = Elements;

  /** The only level: formulas, arrays, ways, judge. */
  const level = (model) => {
    const parts = [BatchNormArrays, BatchNormWays, BatchNormJudge].map((part) => part.create(model));
    const { forward, dx } = model.trace.formulas;
    const element = make("div", { class: "batch-norm" }, [
      make("div", { class: "formula" }, [make("code", { text: forward }), make("code", { text: dx }),
                                         make("p", { class: "source", text: "m is mu here, v is var, kappa is 1." })]),
      row(button("dy = all ones", model.ones)), ...parts.map((part) => part.element)]);
    return { element, show: () => parts.forEach((part) => part.show()) };
  };

  const create = () => Frame.create({
    title: "Batch norm",
    look: "a number of the batch reaches the loss in three ways, since it moves the mean and the variance as well, " +
          "and with them every output. Its gradient is the sum of the three. Pick an x; leave a way out and see who " +
          "notices.",
    derivation: "engine/layers/batch_norm.py",
    model: BatchNormModel.create(),
    options: [["Numbers in the batch (M)", "M", Frame.wholeNumbers(2, 8)]],
    mistake: "The mistake beside it: mean and variance taken for constants",
    levels: [["arrays", "The batch", level]],
  });

  Views.add({ id: "batch-norm", name: "Batch norm", create });
})();
