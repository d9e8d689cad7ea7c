"""Dense, forward."""
from __future__ import annotations

from exercises.catalogue.dense import TASK, setups
from exercises.exercise import Cut, Exercise, Mutant, Part

PRODUCT = 'a = matrix_product(x, self.params["W"]) + self.params["b"]'

EXERCISE = Exercise(
    "dense_forward", "A layer of neurons",
    "Write the forward pass of the fully connected layer: a = x W + b.", "01_neuron",
    (Part("engine.layers.dense", ("Dense",)),),
    (Cut("Dense.forward", "a =", "a, of shape (N, O): each output is a weighted sum of the sample's inputs, plus the "
         "output's bias; a = x W + b, (3.3). The parameters are self.params[\"W\"], (I, O), and self.params[\"b\"], "
         "(O,)."),),
    TASK, setups,
    (Mutant("bias forgotten", "This is what comes out when the bias b is not added.",
            {PRODUCT: 'a = matrix_product(x, self.params["W"])'}),
     Mutant("bias subtracted", "This is what comes out when the bias b is subtracted instead of added.",
            {PRODUCT: 'a = matrix_product(x, self.params["W"]) - self.params["b"]'}),
     Mutant("W transposed", "This is what comes out when x is multiplied with the transpose of W: W is (I, O) here, a "
            "row for each input. It only runs where there are as many inputs as outputs.",
            {PRODUCT: 'a = matrix_product(x, self.params["W"].T) + self.params["b"]'})), ("activation",))
