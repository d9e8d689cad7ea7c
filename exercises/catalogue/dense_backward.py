"""Dense, backward."""
from __future__ import annotations

from exercises.catalogue.dense import TASK, setups
from exercises.exercise import Cut, Exercise, Mutant, Part

DX = 'dx = matrix_product(da, xp.matrix_transpose(self.params["W"]))'
DW = "dW = matrix_product(xp.matrix_transpose(x), da)"

EXERCISE = Exercise(
    "dense_backward", "Backpropagation through a layer of neurons",
    "Write the two products of the dense layer's backward pass, dx and dW.", "02_chain_rule",
    (Part("engine.layers.dense", ("Dense",)),),
    (Cut("Dense.backward", "dx =", "dx, (N, I), from da, (N, O), and self.params[\"W\"], (I, O): x[n,i] moves every "
         "a[n,o] by W[i,o]; (3.11), line 6 of Algorithm 2. xp is the array library: xp.matrix_transpose."),
     Cut("Dense.backward", "dW =", "dW, (I, O), from x, (N, I), and da, (N, O): W[i,o] moves a[n,o] by x[n,i], in "
         "every sample n; (3.9) and (3.10), line 5 of Algorithm 2.")),
    TASK, setups,
    (Mutant("W not transposed", "This is what comes out when da is multiplied with W instead of its transpose: the "
            "Jacobian's transpose takes gradients back. It only runs where there are as many inputs as outputs.",
            {DX: 'dx = matrix_product(da, self.params["W"])'}),
     Mutant("dy instead of da", "This is what comes out when dx is computed from dy, before it went back through the "
            "activation: dx = da W^T, da = dy . sigma'(a).",
            {DX: DX.replace("da", "dy")}),
     Mutant("dW from dy", "This is what comes out when dW is computed from dy, before it went back through the "
            "activation: dW = x^T da.", {DW: DW.replace("da", "dy")}),
     Mutant("dW a mean", "This is what comes out when dW is the mean over the samples instead of their sum: dy holds "
            "the loss's own 1/N already.", {DW: f"{DW} / x.shape[0]"}),
     Mutant("dW transposed", "This is what comes out when the factors of dW are exchanged: da^T x is (O, I), W is "
            "(I, O).", {DW: "dW = matrix_product(xp.matrix_transpose(da), x)"}),
     Mutant("first sample alone", "This is what comes out when only the first sample counts: dW is a sum over "
            "all samples.", {DW: "dW = matrix_product(xp.matrix_transpose(x[:1]), da[:1])"})), ("activation",))
