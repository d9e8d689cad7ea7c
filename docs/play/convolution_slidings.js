"use strict";

/*
 * What slides over what, forward and backward: the table of convolution.js with the numbers of a state in it. Field,
 * kernel and result have a name, a title, values, and `at`, which names what stands at a place.
 */
const ConvolutionSlidings = (() => {
  const at = (name) => (i, j) => `${name}[${i},${j}]`;
  const named = (name, title, values, where = at(name)) => ({ name, title, values, at: where });

  const image = ({ results }) => named("X", "image, with the zeros around it", results.X);

  const forward = (state) => ({
    field: image(state), kernel: named("W", "kernel", state.inputs.W), result: named("a", "output", state.results.a),
    step: state.inputs.stride, apart: 1, start: state.inputs.b,
  });

  const inputGradient = ({ inputs: { W }, results }) => {
    const ofOutput = (m, n) => {
      const output = Convolution.outputAt(m, n, results.sizes);
      return output ? at("da")(...output) : "zero put in";
    };
    return {
      field: named("D", "da, with zeros between and around", results.D, ofOutput),
      kernel: named("rot180(W)", "kernel, rotated", Convolution.rotated(W),
                    (u, v) => at("W")(W.length - 1 - u, W[0].length - 1 - v)),
      result: named("dX", "gradient of the image", results.dX), step: 1, apart: 1, start: 0,
    };
  };

  const kernelGradient = (state) => ({
    field: image(state), kernel: named("da", "gradient of the output, as a kernel", state.inputs.da),
    result: named("dW", "gradient of the kernel", state.results.dW), step: 1, apart: state.inputs.stride, start: 0,
  });

  /** By the array whose place is picked: its own sliding forward (a), or that of its gradient (X, W). */
  const of = (array, state) => ({ a: forward, X: inputGradient, W: kernelGradient })[array](state);

  /** The sliding of dX with the mistake: the kernel as it is. */
  const notRotated = (state) => ({
    ...inputGradient(state), kernel: named("W", "kernel, as it is", state.inputs.W),
    result: named("dX not rotated", "the mistake", state.results["dX not rotated"]),
  });

  /** The products that make up one number of the result, in order, with the sum so far. */
  const terms = ({ field, kernel, step, apart, start }, [i, j]) => {
    let total = start;
    return Convolution.products(field.values, kernel.values, step * i, step * j, apart).map((term) => {
      total += term.product;
      return { ...term, left: field.at(term.p, term.q), right: kernel.at(term.u, term.v), total };
    });
  };

  return Object.freeze({ of, notRotated, terms });
})();
