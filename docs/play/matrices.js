"use strict";

/* Arrays of numbers as rows, and sums over them. Pure functions, no document. */
const Matrices = (() => {
  const build = (rows, columns, value) =>
    Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => value(i, j)));

  const corner = (matrix, rows, columns) => matrix.slice(0, rows).map((row) => row.slice(0, columns));

  const replaced = (matrix, row, column, value) =>
    matrix.map((numbers, i) => numbers.map((number, j) => (i === row && j === column ? value : number)));

  const sum = (matrix) => matrix.flat().reduce((total, number) => total + number, 0);

  /** The sum of all left[i][j] right[i][j]: how a gradient and a change make a change of the loss. */
  const inner = (left, right) => sum(left.map((row, i) => row.map((number, j) => number * right[i][j])));

  /** (loss(array + h at one place) - loss(array - h there)) / 2h, and both losses. */
  const difference = (loss, matrix, row, column, h) => {
    const above = loss(replaced(matrix, row, column, matrix[row][column] + h));
    const below = loss(replaced(matrix, row, column, matrix[row][column] - h));
    return { above, below, h, slope: (above - below) / (2 * h) };
  };

  return Object.freeze({ build, corner, replaced, sum, inner, difference });
})();
