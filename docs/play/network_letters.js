"use strict";

/* How the network's arrays are called, and text with lowered letters. */
const NetworkLetters = (() => {
  const { make } = Elements;
  const LOW = { 0: "\u2080", 1: "\u2081", 2: "\u2082" };

  const TITLES = {
    x: "the input", o0: "the input", W1: "weights of layer 1", b1: "biases of layer 1", a1: "activation of layer 1",
    o1: "output of layer 1", W2: "weights of layer 2", b2: "biases of layer 2", a2: "activation of layer 2",
    o2: "o\u2082, the prediction", y: "what was wanted", l: "the loss",
  };

  const isGradient = (key) => /^d.\d$/.test(key);

  /** W1 -> W with a small 1; o2 is the prediction, y with a hat. */
  const name = (key) => (isGradient(key) ? `d${name(key.slice(1))}`
    : key === "o2" ? "\u0177" : key.replace(/\d/, (digit) => LOW[digit]));

  const title = (key) => (isGradient(key) ? "its gradient" : TITLES[key]);

  /** The number's own name: W1[0,2]; arrays of one row have one index. */
  const at = (key, [i, j]) => `${name(key)}[${/W/.test(key) ? `${i},${j}` : j}]`;

  /** "a_h = o_{h-1}^T W_h" as nodes: what follows _ stands lower, what follows ^ higher. */
  const typeset = (text) => text.split(/([_^]\{[^}]*\}|[_^].)/).filter(Boolean).map((part) =>
    (/^[_^]/.test(part) ? make(part[0] === "_" ? "sub" : "sup", { text: part.replace(/[_^{}]/g, "") }) : part));

  return Object.freeze({ name, title, at, typeset });
})();
