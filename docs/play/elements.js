"use strict";

/* The few kinds of elements that the views are built of. */
const Elements = (() => {
  /** make("p", { class: "hint", text: "..." }, children): attributes by name; `text`, `on` and properties apart. */
  const make = (tag, { text, on = {}, ...attributes } = {}, children = []) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
    element.append(...children);
    return element;
  };

  /** A labelled choice. choices: [value, text] pairs; onChange gets the value and may refuse by returning false. */
  const choice = (label, choices, value, onChange) => {
    const select = make("select", {}, choices.map(([key, text]) => make("option", { value: key, text })));
    let accepted = value;
    const show = (key) => {
      accepted = key;
      select.value = String(key);
    };
    select.addEventListener("change", () => {
      const [key] = choices.find(([candidate]) => String(candidate) === select.value);
      if (onChange(key) === false) show(accepted);
    });
    show(value);
    return { element: make("label", { class: "control" }, [make("span", { text: label }), select]), show };
  };

  let groups = 0; // radio buttons belong together by a name that no other group has

  /** One of a few, all visible: radio buttons in a row. */
  const oneOf = (legend, choices, value, onChange) => {
    groups += 1;
    const name = `one-of-${groups}`;
    const inputs = choices.map(([key]) => make("input", { type: "radio", name, value: key,
                                                          on: { change: () => onChange(key) } }));
    const labels = choices.map(([, text], n) => make("label", {}, [inputs[n], make("span", { text })]));
    const show = (key) => inputs.forEach((input) => { input.checked = input.value === String(key); });
    show(value);
    return { element: make("fieldset", { class: "one-of" }, [make("legend", { text: legend }), ...labels]), show };
  };

  const check = (label, value, onChange) => {
    const input = make("input", { type: "checkbox", on: { change: () => onChange(input.checked) } });
    input.checked = value;
    const show = (checked) => { input.checked = checked; };
    return { element: make("label", { class: "control check" }, [input, make("span", { text: label })]), show };
  };

  const button = (text, onClick, attributes = {}) =>
    make("button", { type: "button", text, on: { click: onClick }, ...attributes });

  /** heads: a line of texts; rows: lines of texts. */
  const table = (heads, rows) => make("table", {}, [
    make("thead", {}, [make("tr", {}, heads.map((text) => make("th", { scope: "col", text })))]),
    make("tbody", {}, rows.map((cells) => make("tr", {}, cells.map((text) => make("td", { text }))))),
  ]);

  const row = (...children) => make("div", { class: "row" }, children);

  return Object.freeze({ make, choice, oneOf, check, button, table, row });
})();
