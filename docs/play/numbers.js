"use strict";

/* Numbers as text: few decimals, the same for a whole matrix, and the minus sign of print. Pure functions. */
const Numbers = (() => {
  const MOST_DECIMALS = 2;
  const LARGEST = 99;

  /** As few decimals, at most two, as show all of these numbers whole. */
  const decimals = (numbers) => {
    for (let digits = 0; digits < MOST_DECIMALS; digits += 1) {
      if (numbers.every((number) => Math.abs(number - Number(number.toFixed(digits))) < 1e-9)) return digits;
    }
    return MOST_DECIMALS;
  };

  /** The number rounded; what rounds to 0 has no sign. */
  const text = (number, digits = decimals([number])) => {
    const written = Math.abs(number).toFixed(digits);
    return Number(written) !== 0 && number < 0 ? `\u2212${written}` : written;
  };

  /** A factor or summand that stands behind a sign: in brackets where it is negative. */
  const bracketed = (number, digits) => (number < 0 ? `(${text(number, digits)})` : text(number, digits));

  /** A contribution to a sum: +2 or -1. */
  const signed = (number, digits) => (number < 0 ? text(number, digits) : `+${text(number, digits)}`);

  /** The number that was typed, or an error that says what to type. Comma and point both work. */
  const parse = (typed) => {
    const plain = typed.trim().replace(/[\u2212\u2013]/, "-").replace(",", ".");
    const number = Number(plain);
    if (plain === "" || !Number.isFinite(number) || Math.abs(number) > LARGEST) {
      return { error: `\u201c${typed}\u201d was typed; expected a number from \u2212${LARGEST} to ${LARGEST}, ` +
                      "such as \u22121.5. The old number stays." };
    }
    return { number };
  };

  return Object.freeze({ decimals, text, bracketed, signed, parse });
})();
