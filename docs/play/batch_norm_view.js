"use strict";

/* Batch norm: a small batch of one channel, forward, and the three ways back. */
(() => {
  const { make, choice, button, row } = Elements;
  const SIZES = [2, 3, 4, 5, 6, 7, 8].map((M) => [M, String(M)]);

  const create = () => {
    const model = BatchNormModel.create(TRACES["batch norm"]);
    const arrays = BatchNormArrays.create(model);
    const ways = BatchNormWays.create(model);
    const judge = BatchNormJudge.create(model);
    const size = choice("Numbers in the batch (M)", SIZES, model.options.M, model.setSize);
    const source = make("p", { class: "source", role: "status" });
    const { formulas } = model.trace;

    const show = () => {
      [arrays, ways, judge].forEach((part) => part.show());
      size.show(model.options.M);
      source.textContent = model.fromEngine
        ? "Every number here but the finite differences was written by the engine."
        : "Computed by this page from what you changed; a test holds its arithmetic to the engine's.";
    };

    const element = make("article", { class: "view", id: "batch-norm-view" }, [
      make("h2", { text: "Batch norm" }),
      make("p", { class: "look", text: "Look for this: a number of the batch reaches the loss in three ways, since it " +
                                       "moves the mean and the variance as well, and with them every output. Its gradient " +
                                       "is the sum of the three. Pick an x; leave a way out and see who notices." }),
      row(size.element, button("dy = all ones", model.ones), button("As the engine wrote it", model.reset)),
      source,
      make("p", { class: "formula" }, [make("code", { text: formulas.forward })]),
      make("p", { class: "formula" }, [make("code", { text: formulas.dx }), ": kappa is 1 here, m is mu, v is var."]),
      arrays.element, ways.element, judge.element,
    ]);
    model.listen(show);
    show();
    return element;
  };

  Views.add({ id: "batch-norm", name: "Batch norm", create });
})();
