"use strict";

/*
 * The arithmetic of Conv2D for one image, one input and one output channel. Pure functions, no document.
 *
 * Forward and backward are one operation, a kernel that slides over a field:
 *
 *              field   kernel       the corner of the kernel is at        its numbers lie
 *   a          X       W            s i, s j                              side by side
 *   dX (3.41)  D       rot180(W)    p, q                                  side by side
 *   dW (3.42)  X       da           u, v                                  s pixels apart
 *
 * The letters are those of engine/layers/conv2d.py: X is x with the zeros around it, D is da with zeros between and
 * around, s is the stride for rows and columns.
 */
const Convolution = (() => {
  const { build, sum, inner } = Matrices;

  /** Zeros before and after. SAME: so many that there are ceil(size / stride) outputs, the odd one at the end. */
  const zerosAround = (size, kernel, stride, padding) => {
    if (padding === "VALID") return [0, 0];
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  };

  /** Where x lies in X, and the sizes of X and a. The sizes of a are 0 or less where the kernel fits nowhere. */
  const geometry = ({ rows, columns, kernelRows, kernelColumns, stride, padding }) => {
    const [top, bottom] = zerosAround(rows, kernelRows, stride, padding);
    const [left, right] = zerosAround(columns, kernelColumns, stride, padding);
    const places = (size, kernel) => Math.floor((size - kernel) / stride) + 1;
    const X = { rows: rows + top + bottom, columns: columns + left + right };
    return { rows, columns, kernelRows, kernelColumns, stride, top, left, X,
             a: { rows: places(X.rows, kernelRows), columns: places(X.columns, kernelColumns) } };
  };

  const inside = (matrix, i, j) => i in matrix && j in matrix[i];

  const withZeros = (x, { top, left, X }) =>
    build(X.rows, X.columns, (p, q) => (inside(x, p - top, q - left) ? x[p - top][q - left] : 0));

  const withoutZeros = (dX, { top, left, rows, columns }) => build(rows, columns, (p, q) => dX[p + top][q + left]);

  const rotated = (W) => W.map((row) => [...row].reverse()).reverse();

  /** The output i, j whose gradient stands at row m, column n of D; null where D has a zero of its own. */
  const outputAt = (m, n, { kernelRows, kernelColumns, stride, a }) => {
    const i = (m - kernelRows + 1) / stride;
    const j = (n - kernelColumns + 1) / stride;
    const whole = Number.isInteger(i) && Number.isInteger(j);
    return whole && i >= 0 && j >= 0 && i < a.rows && j < a.columns ? [i, j] : null;
  };

  const spread = (da, sizes) =>
    build(sizes.X.rows + sizes.kernelRows - 1, sizes.X.columns + sizes.kernelColumns - 1, (m, n) => {
      const output = outputAt(m, n, sizes);
      return output ? da[output[0]][output[1]] : 0;
    });

  /** What lies on each other, and its products, with the kernel's corner on the field at row, column. */
  const products = (field, kernel, row, column, apart) =>
    kernel.flatMap((numbers, u) => numbers.map((weight, v) => {
      const [p, q] = [row + u * apart, column + v * apart];
      return { p, q, u, v, pixel: field[p][q], weight, product: field[p][q] * weight };
    }));

  const slide = (field, kernel, { rows, columns }, step, apart, start) =>
    build(rows, columns, (i, j) => products(field, kernel, step * i, step * j, apart)
      .reduce((total, { product }) => total + product, start));

  const forward = (X, W, b, sizes) => slide(X, W, sizes.a, sizes.stride, 1, b);

  /** Everything that the layer computes, and dX with the mistake: the kernel as it is, not rotated. */
  const compute = ({ x, W, b, da, stride, padding }) => {
    const sizes = geometry({ rows: x.length, columns: x[0].length, kernelRows: W.length, kernelColumns: W[0].length,
                             stride, padding });
    const [X, D] = [withZeros(x, sizes), spread(da, sizes)];
    const dX = slide(D, rotated(W), sizes.X, 1, 1, 0);
    return { sizes, X, D, a: forward(X, W, b, sizes), dX, dx: withoutZeros(dX, sizes),
             dW: slide(X, da, { rows: W.length, columns: W[0].length }, 1, stride, 0), db: sum(da),
             "dX not rotated": slide(D, W, sizes.X, 1, 1, 0) };
  };

  /** L = sum of da a, whose gradient with respect to a is da. */
  const loss = (X, W, b, da, sizes) => inner(da, forward(X, W, b, sizes));

  return Object.freeze({ geometry, withZeros, rotated, outputAt, spread, products, forward, compute, loss });
})();
