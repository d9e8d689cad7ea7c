"use strict";

/*
 * Algorithms 1 and 2 as steps: for each line that is executed what it reads, what it writes, and what one number of it
 * is made of. Pure functions, no document.
 *
 * A step: { block, line, h, reads, writes, uses(place), sum(arrays, place) }. h: in loops alone; uses: which entries of
 * what is read occur in the number at place; sum: [symbols, numbers] of that number, as text, numbers null for a copy.
 * A step that only counts writes null.
 */
const NetworkSteps = (() => {
  const { at, name } = NetworkLetters;
  const column = ([, j]) => (m, n) => n === j;
  const everything = () => true;

  /** Four decimals for what is not whole with two. */
  const digits = (number) => (Math.abs(number - Number(number.toFixed(2))) < 1e-9 ? Numbers.decimals([number]) : 4);
  const text = (number) => Numbers.bracketed(number, digits(number));

  const terms = (count, write) => Array.from({ length: count }, (_, k) => write(k)).join(" + ");

  const copy = (from, to) => ({
    reads: [from], writes: to, uses: (place) => ({ [from]: column(place) }),
    sum: (arrays, place) => [at(from, place), null],
  });

  const affine = (h) => {
    const [o, W, b] = [`o${h - 1}`, `W${h}`, `b${h}`];
    return {
      reads: [o, W, b], writes: `a${h}`, uses: (place) => ({ [o]: everything, [W]: column(place), [b]: column(place) }),
      sum: (arrays, [, j]) => {
        const input = arrays[o][0];
        return [`${at(b, [0, j])} + ${terms(input.length, (i) => `${at(o, [0, i])} ${at(W, [i, j])}`)}`,
                `${text(arrays[b][0][j])} + ${terms(input.length, (i) => `${text(input[i])} \u00d7 ` +
                                                                         text(arrays[W][i][j]))}`];
      },
    };
  };

  const activate = (sigma) => ({
    reads: ["a1"], writes: "o1", uses: (place) => ({ a1: column(place) }),
    sum: (arrays, [i, j]) => {
      const a = arrays.a1[i][j];
      return sigma === "ReLU" ? [`max(${at("a1", [i, j])}, 0)`, `max(${Numbers.text(a, digits(a))}, 0)`]
        : [`1 / (1 + exp(\u2212${at("a1", [i, j])}))`, `1 / (1 + exp(${Numbers.text(-a, digits(a))}))`];
    },
  });

  const loss = () => ({
    reads: ["o2", "y"], writes: "l", uses: () => ({ o2: everything, y: everything }),
    sum: ({ o2, y }) => [`\u00bd the sum of (${name("o2")} \u2212 y)\u00b2`,
                         `\u00bd (${terms(y[0].length, (k) => `(${text(o2[0][k])} \u2212 ${text(y[0][k])})\u00b2`)})`],
  });

  const difference = () => ({
    reads: ["o2", "y"], writes: "do2", uses: (place) => ({ o2: column(place), y: column(place) }),
    sum: ({ o2, y }, [i, j]) => [`${at("o2", [i, j])} \u2212 ${at("y", [i, j])}`,
                                 `${text(o2[i][j])} \u2212 ${text(y[i][j])}`],
  });

  const slope = (h, sigma) => {
    const [G, o] = [`do${h}`, `o${h}`];
    if (h === 2) return copy(G, "da2"); // gamma is the identity, its derivative 1
    return {
      reads: [G, o], writes: `da${h}`, uses: (place) => ({ [G]: column(place), [o]: column(place) }),
      sum: (arrays, [i, j]) => {
        const [gradient, value] = [text(arrays[G][i][j]), arrays[o][i][j]];
        return sigma === "ReLU"
          ? [`${at(G, [i, j])} times (1 if ${at(o, [i, j])} > 0, else 0)`, `${gradient} \u00d7 ${value > 0 ? 1 : 0}`]
          : [`${at(G, [i, j])} ${at(o, [i, j])} (1 \u2212 ${at(o, [i, j])})`,
             `${gradient} \u00d7 ${text(value)} \u00d7 (1 \u2212 ${text(value)})`];
      },
    };
  };

  const outer = (h) => {
    const [G, o] = [`da${h}`, `o${h - 1}`];
    return {
      reads: [o, G], writes: `dW${h}`, uses: ([i, j]) => ({ [o]: (m, n) => n === i, [G]: (m, n) => n === j }),
      sum: (arrays, [i, j]) => [`${at(o, [0, i])} ${at(G, [0, j])}`,
                                `${text(arrays[o][0][i])} \u00d7 ${text(arrays[G][0][j])}`],
    };
  };

  const back = (h) => {
    const [G, W, to] = [`da${h}`, `W${h}`, `do${h - 1}`];
    return {
      reads: [G, W], writes: to, uses: ([, i]) => ({ [G]: everything, [W]: (m) => m === i }),
      sum: (arrays, [, i]) => {
        const gradients = arrays[G][0];
        return [terms(gradients.length, (j) => `${at(G, [0, j])} ${at(W, [i, j])}`),
                terms(gradients.length, (j) => `${text(gradients[j])} \u00d7 ${text(arrays[W][i][j])}`)];
      },
    };
  };

  const count = () => ({ reads: [], writes: null });

  /** All steps, in the order in which they are taken. */
  const all = (sigma) => [
    { block: "1", line: 1, ...copy("x", "o0") }, { block: "1", line: 2, h: 1, ...count() },
    { block: "1", line: 3, h: 1, ...affine(1) }, { block: "1", line: 4, h: 1, ...activate(sigma) },
    { block: "1", line: 6, ...affine(2) }, { block: "1", line: 7, ...copy("a2", "o2") },
    { block: "l", line: 1, ...loss() }, { block: "2", line: 1, ...difference() },
    ...[2, 1].flatMap((h) => [
      count(), slope(h, sigma), copy(`da${h}`, `db${h}`), outer(h), back(h),
    ].map((step, n) => ({ block: "2", line: 2 + n, h, ...step }))),
  ];

  return Object.freeze({ all, digits });
})();
