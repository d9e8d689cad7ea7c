"use strict";

/* All arrays of the two algorithms, each above its gradient, as far as the cursor has come. */
const NetworkArrays = (() => {
  const { make } = Elements;
  const { name, title } = NetworkLetters;
  const PAIRS = ["o0", "W1", "b1", "a1", "o1", "W2", "b2", "a2", "o2"].map((key) => [key, `d${key}`]);
  const INPUT = { o0: "x", W1: "W1", b1: "b1", W2: "W2", b2: "b2", y: "y" };

  const create = (model) => {
    const matrix = (key) => {
      const judged = key.replace(/^d/, "");
      return Matrix.create({
        name: name(key), scalar: key === "l", vector: !/W/.test(key),
        onPick: NetworkModel.JUDGED.includes(judged) ? (i, j) => model.pick(judged, i, j) : undefined,
        onEdit: INPUT[key] ? (i, j, number) => model.edit(INPUT[key], number, i, j) : undefined });
    };
    const parts = new Map([...PAIRS.flat(), "y", "l"].map((key) => [key, matrix(key)]));
    const element = make("section", { "aria-label": "all arrays" }, [
      make("h3", { text: "All arrays, as far as the cursor has come" }),
      make("div", { class: "pairs" }, [...PAIRS, ["y", "l"]].map((keys) =>
        make("div", { class: "pair" }, keys.map((key) => parts.get(key).element))))]);

    const show = () => {
      const { arrays, step, picked } = model;
      parts.forEach((part, key) => {
        const given = Boolean(INPUT[key]);
        const known = given || model.known(key);
        const state = step.writes === key ? "written" : step.reads.includes(key) ? "read" : "";
        const words = [title(key), ...(state ? [`${state} now`] : []), ...(model.G() === key ? ["is G"] : [])];
        const isPicked = (i, j) =>
          picked.array === key.replace(/^d/, "") && picked.place[0] === i && picked.place[1] === j;
        part.element.dataset.state = state;
        part.show({ values: arrays[key], title: words.join(", "), blank: () => !known,
                    marks: (i, j) => [...(isPicked(i, j) ? ["picked"] : []), ...(known ? [] : ["pending"])] });
      });
    };
    return { element, show };
  };

  return Object.freeze({ create });
})();
