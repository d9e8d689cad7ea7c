"use strict";

/* The two-layer network: the algorithms, the step at the cursor, the judge and all arrays. */
(() => {
  const { make } = Elements;
  const SIZES = Frame.wholeNumbers(2, 3);

  /** The only level. */
  const level = (model) => {
    const player = Player.create(model.go, "step");
    const parts = [NetworkLines, NetworkStep, NetworkJudge, NetworkArrays].map((part) => part.create(model));
    const [lines, step, judge, arrays] = parts.map((part) => part.element);
    const element = make("div", { class: "network" }, [
      make("div", { class: "network-beside" }, [lines, make("div", { class: "network-step" },
                                                            [player.element, step, judge])]), arrays]);
    const show = () => {
      parts.forEach((part) => part.show());
      player.show(model.cursor, model.steps.length);
    };
    return { element, show, stop: player.stop };
  };

  const create = () => Frame.create({
    title: "Two layers, Algorithms 1 and 2",
    look: "backward is forward in reverse, and a line needs only what its line forward read, and the gradient G of " +
          "what that line wrote. A sample is a row here; the thesis writes columns, so its products are the " +
          "transposes of these.",
    derivation: "engine/layers/dense.py",
    model: NetworkModel.create(),
    options: [["Inputs", "inputs", SIZES], ["Hidden", "hidden", SIZES], ["Outputs", "outputs", SIZES],
              ["\u03c3", "sigma", [["ReLU", "ReLU"], ["sigmoid", "sigmoid"]]]],
    mistake: "The misprint beside it: lines 5 and 6 with element-wise products",
    levels: [["steps", "Step by step", level]],
  });

  Views.add({ id: "network", name: "Two layers", create });
})();
