"use strict";

/* The two-layer network: the algorithms, the step at the cursor, the judge and all arrays. */
(() => {
  const { make, choice, check, button, row } = Elements;
  const SIZES = [[2, "2"], [3, "3"]];

  const create = () => {
    const model = NetworkModel.create(TRACES.network);
    const player = Player.create(model.go, "step");
    const [lines, step, judge, arrays] = [NetworkLines, NetworkStep, NetworkJudge, NetworkArrays].map(
      (part) => part.create(model));
    const option = (label, name, choices) =>
      [name, choice(label, choices, model.options[name], (value) => model.setOption(name, value))];
    const options = new Map([
      option("Inputs", "inputs", SIZES), option("Hidden", "hidden", SIZES), option("Outputs", "outputs", SIZES),
      option("\u03c3", "sigma", [["ReLU", "ReLU"], ["sigmoid", "sigmoid"]]),
    ]);
    const printed = check("The misprint beside it: lines 5 and 6 with element-wise products", model.printed,
                          (on) => model.setPrinted(on));
    const source = make("p", { class: "source", role: "status" });

    const show = () => {
      [lines, step, judge, arrays].forEach((part) => part.show());
      player.show(model.cursor, model.steps.length);
      options.forEach((control, name) => control.show(model.options[name]));
      printed.show(model.printed);
      source.textContent = model.fromEngine
        ? "Every number here but the finite difference was written by the engine."
        : "Computed by this page from what you changed; a test holds its arithmetic to the engine's.";
    };

    const element = make("article", { class: "view", id: "network-view" }, [
      make("h2", { text: "Two layers, Algorithms 1 and 2" }),
      make("p", { class: "look", text: "Look for this: backward is forward in reverse, and each line needs only what the " +
                                       "line forward read and the gradient G of what it wrote. A sample is a row here; the " +
                                       "thesis writes columns, so its products are the transposes of these." }),
      row(...[...options.values()].map((control) => control.element), printed.element,
          button("As the engine wrote it", model.reset)),
      source, make("div", { class: "network-beside" }, [lines.element, make("div", { class: "network-step" }, [
        player.element, step.element, judge.element])]), arrays.element,
    ]);
    element.leave = player.stop;
    model.listen(show);
    show();
    return element;
  };

  Views.add({ id: "network", name: "Two layers", create });
})();
