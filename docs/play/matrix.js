"use strict";

/*
 * A matrix on the page: an ARIA grid of numbers. The arrow keys move and pick, Space picks, Enter, F2 or a digit begins
 * to edit, Enter takes the number over, Escape leaves it as it was. Every mark has a sign beside its colour (style.css)
 * and a word for screen readers. The cells stay while the shape stays, so that the focus does, too.
 *
 *     const matrix = Matrix.create({ name: "W", onPick: (i, j) => ..., onEdit: (i, j, number) => ... });
 *     matrix.show({ values, title: "the kernel", marks: (i, j) => ["picked"], notes: (i, j) => "x 2" });
 */
const Matrix = (() => {
  const { make } = Elements;

  const WORDS = {
    picked: "picked", linked: "linked to what is picked", kernel: "the kernel lies on it", padding: "at a zero that was put in",
    pending: "not computed yet", wrong: "differs from the right one", first: "largest, gets the gradient",
    tie: "as large, but gets nothing",
  };
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  /** In digits: a minus is wider than a digit, a point narrower. */
  const width = (number) => number.length + (number.startsWith("\u2212") ? 0.35 : 0) - (number.includes(".") ? 0.5 : 0);

  const create = ({ name, onPick, onEdit, scalar = false, vector = false }) => {
    const caption = make("span", { class: "title" });
    const grid = make("div", { class: "grid", role: "grid" });
    const message = make("p", { class: "message", role: "status" });
    const element = make("figure", { class: scalar ? "matrix scalar" : "matrix", "data-name": name },
                         [make("figcaption", {}, [make("b", { text: name }), " ", caption]), grid, message]);
    const label = (i, j) => (scalar ? name : `${name}[${vector ? j : `${i},${j}`}]`); // a vector is one row
    let cells = [];
    let shown = null; // what show() was last given
    let home = [0, 0]; // the one cell that Tab reaches

    const cellAt = (i, j) => cells[i] && cells[i][j];

    const focus = (i, j) => {
      cellAt(...home).tabIndex = -1;
      home = [i, j];
      cellAt(i, j).tabIndex = 0;
      cellAt(i, j).focus();
    };

    const pick = (i, j) => onPick && !(shown.blank && shown.blank(i, j)) && onPick(i, j);

    const canEdit = (i, j) => Boolean(onEdit) && (!shown.editable || shown.editable(i, j));

    const edit = (i, j, typed) => {
      const cell = cellAt(i, j);
      if (!canEdit(i, j) || cell.querySelector("input")) return;
      const input = make("input", { type: "text", inputmode: "text", "aria-label": `new number for ${label(i, j)}` });
      input.value = typed === undefined ? Numbers.text(shown.values[i][j]) : typed;
      let open = true; // leaving the field closes it, and closing it leaves it
      const close = (accept) => {
        if (!open) return;
        open = false;
        const answer = accept ? Numbers.parse(input.value) : {};
        input.remove();
        message.textContent = answer.error || "";
        if (answer.number !== undefined) onEdit(i, j, answer.number);
      };
      input.addEventListener("blur", () => close(true));
      input.addEventListener("keydown", (event) => {
        event.stopPropagation(); // the arrow keys move in the text
        if (event.key !== "Enter" && event.key !== "Escape") return;
        event.preventDefault();
        close(event.key === "Enter");
        focus(i, j);
      });
      cell.append(input);
      input.focus();
      if (typed === undefined) input.select();
    };

    const onKey = (event, i, j) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key in STEPS) {
        const [down, right] = STEPS[event.key];
        if (cellAt(i + down, j + right)) {
          focus(i + down, j + right);
          pick(i + down, j + right);
        }
      } else if (event.key === "Home") focus(i, 0);
      else if (event.key === "End") focus(i, cells[i].length - 1);
      else if (event.key === " ") pick(i, j);
      else if (event.key === "Enter" || event.key === "F2") edit(i, j);
      else if (/^[-\u2212.,\d]$/.test(event.key)) edit(i, j, event.key);
      else return;
      event.preventDefault();
    };

    const build = (rows, columns) => {
      const hadFocus = grid.contains(document.activeElement);
      cells = Matrices.build(rows, columns, (i, j) => make("div", { role: "gridcell", tabindex: "-1", on: {
        click: () => { focus(i, j); pick(i, j); }, dblclick: () => edit(i, j), keydown: (event) => onKey(event, i, j),
      } }, [make("span", { class: "number" }), make("span", { class: "note" })]));
      const heads = (role, n) => (scalar ? [] : [make("div", { role, class: "head", text: n })]);
      const first = scalar ? [] : [make("div", { role: "row" }, [make("div", { class: "head" }),
        ...cells[0].map((_, j) => heads("columnheader", j)[0])])];
      grid.replaceChildren(...first, ...cells.map((row, i) => make("div", { role: "row" },
                                                                   [...heads("rowheader", vector ? "" : i), ...row])));
      element.style.setProperty("--columns", columns);
      home = [Math.min(home[0], rows - 1), Math.min(home[1], columns - 1)];
      cellAt(...home).tabIndex = 0;
      if (hadFocus) cellAt(...home).focus();
    };

    /** Writes a cell; returns how wide its number is. */
    const describe = (cell, i, j, digits) => {
      const marks = shown.marks ? shown.marks(i, j) : [];
      const blank = Boolean(shown.blank && shown.blank(i, j));
      const number = blank ? "\u00b7" : Numbers.text(shown.values[i][j], digits);
      const note = shown.notes ? shown.notes(i, j) : "";
      cell.className = [...marks, ...(canEdit(i, j) ? ["editable"] : [])].join(" ");
      cell.children[0].textContent = number;
      cell.children[1].textContent = note;
      cell.setAttribute("aria-selected", String(marks.includes("picked")));
      cell.setAttribute("aria-readonly", String(!canEdit(i, j)));
      const words = marks.map((mark) => WORDS[mark]);
      const said = [`${label(i, j)} = ${blank ? "" : number}`, ...words, note];
      cell.setAttribute("aria-label", said.filter(Boolean).join(", "));
      return width(number);
    };

    const show = (what) => {
      shown = what;
      const { values, title = "" } = what;
      const [rows, columns] = [values.length, values[0].length];
      if (cells.length !== rows || cells[0].length !== columns) build(rows, columns);
      const digits = Numbers.decimals(values.flat());
      const widths = cells.map((row, i) => row.map((cell, j) => describe(cell, i, j, digits)));
      element.style.setProperty("--digits", Math.max(2, ...widths.flat()));
      caption.textContent = title;
      grid.setAttribute("aria-label", `${name}, ${title}`);
    };

    return { element, show };
  };

  return Object.freeze({ create, WORDS });
})();
