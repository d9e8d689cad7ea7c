"use strict";

/* The convolution: its options, and three zoom levels of one state. */
(() => {
  const { make, choice, oneOf, check, button, row } = Elements;

  const ZOOMS = [["layer", "1 The layer", ConvolutionLayer], ["sliding", "2 The sliding kernel", ConvolutionSliding],
                 ["number", "3 One number", ConvolutionNumber]];
  const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => [first + n, String(first + n)]);

  const create = () => {
    const model = ConvolutionModel.create(TRACES.convolution);
    const levels = new Map(ZOOMS.map(([key, , zoom]) => [key, zoom.create(model)]));
    const refusal = make("p", { class: "message", role: "alert" });
    const source = make("p", { class: "source", role: "status" });
    let zoom = ZOOMS[0][0];

    const option = (label, name, choices) => [name, choice(label, choices, model.options[name], (value) => {
      refusal.textContent = model.setOption(name, value);
      return refusal.textContent === "";
    })];
    const options = new Map([
      option("Padding", "padding", [["SAME", "SAME"], ["VALID", "VALID"]]), option("Stride", "stride", numbers(1, 3)),
      option("Kernel", "kernel", numbers(1, 4).map(([n]) => [n, `${n}\u00d7${n}`])),
      option("Image rows", "rows", numbers(3, 6)), option("Image columns", "columns", numbers(3, 6)),
    ]);
    const mistake = check("The mistake beside it: kernel not rotated", model.mistake, (on) => model.setMistake(on));
    const reset = button("As the engine wrote it", () => {
      refusal.textContent = "";
      model.reset();
    });

    const show = () => {
      levels.forEach(({ element }, key) => { element.hidden = key !== zoom; });
      levels.get(zoom).show();
      options.forEach((control, name) => control.show(model.options[name]));
      mistake.show(model.mistake);
      source.textContent = model.fromEngine
        ? "These results were written by the engine."
        : "Computed by this page from what you changed; a test holds its arithmetic to the engine's.";
    };
    const zooms = oneOf("Zoom", ZOOMS.map(([key, name]) => [key, name]), zoom, (key) => {
      levels.forEach(({ stop }) => stop && stop());
      zoom = key;
      show();
    });

    const element = make("article", { class: "view", id: "convolution-view" }, [
      make("h2", { text: "Convolution" }),
      make("p", { class: "look", text: "Look for this: whatever a number was multiplied by on the way forward, its " +
                                       "gradient is multiplied by on the way back, so the kernel returns rotated by " +
                                       "180 degrees, (3.38) to (3.41), and the image meets the gradient of the output, " +
                                       "(3.42)." }),
      zooms.element,
      row(...[...options.values()].map((control) => control.element), mistake.element, reset),
      refusal, source, ...[...levels.values()].map((level) => level.element),
    ]);
    element.leave = () => levels.forEach(({ stop }) => stop && stop());
    model.listen(show);
    show();
    return element;
  };

  Views.add({ id: "convolution", name: "Convolution", create });
})();
