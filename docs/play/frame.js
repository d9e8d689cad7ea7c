"use strict";

/*
 * What every view has: its title, what to look for, the options, the mistake, and one or more zoom levels of one model.
 *
 *     Frame.create({ title, look, derivation: "engine/layers/dense.py", model,
 *                    options: [[label, name, [[value, text], ...]], ...], mistake: "label of the switch",
 *                    levels: [[key, name, (model) => ({ element, show, stop })], ...] })
 *
 * Without `mistake` there is no switch. A level's show() writes what the model holds; stop(), where there is one, ends what plays.
 */
const Frame = (() => {
  const { make, choice, oneOf, check, button, row } = Elements;

  /** The choices first .. last of a whole number. */
  const wholeNumbers = (first, last, text = String) =>
    Array.from({ length: last - first + 1 }, (_, n) => [first + n, text(first + n)]);

  const create = ({ title, look, derivation, model, options, mistake, levels }) => {
    const built = new Map(levels.map(([key, , level]) => [key, level(model)]));
    const refusal = make("p", { class: "message", role: "alert" });
    const source = make("p", { class: "source computed", role: "status" });
    let zoom = levels[0][0];

    const controls = new Map(options.map(([label, name, choices]) => [name, choice(
      label, choices, model.options[name], (value) => {
        refusal.textContent = model.setOption(name, value);
        return refusal.textContent === "";
      })]));
    const mistaken = check(mistake || "", model.mistake, (on) => model.setMistake(on));
    mistaken.element.hidden = !mistake;
    const reset = button("As the engine wrote it", () => {
      refusal.textContent = "";
      model.reset();
    });
    const stop = () => built.forEach((level) => level.stop && level.stop());

    const show = () => {
      built.forEach(({ element }, key) => { element.hidden = key !== zoom; });
      built.get(zoom).show();
      controls.forEach((control, name) => control.show(model.options[name]));
      mistaken.show(model.mistake);
      source.textContent = model.fromEngine
        ? "The outputs and gradients here were written by the engine."
        : "Computed by this page from what you changed; a test holds its arithmetic to the engine's.";
    };
    const zooms = oneOf("Zoom", levels.map(([key, name]) => [key, name]), zoom, (key) => {
      stop();
      zoom = key;
      show();
    });
    zooms.element.hidden = levels.length === 1;

    const element = make("article", { class: "view" }, [
      make("h2", { text: title }), make("p", { class: "look", text: `Look for this: ${look}` }),
      make("p", { class: "source", text: `The derivation stands in ${derivation}.` }), zooms.element,
      row(...[...controls.values()].map((control) => control.element), mistaken.element, reset),
      refusal, source, ...[...built.values()].map((level) => level.element),
    ]);
    element.leave = stop;
    model.listen(show);
    show();
    return element;
  };

  return Object.freeze({ create, wholeNumbers });
})();
