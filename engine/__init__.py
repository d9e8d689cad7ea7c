"""Deep learning on arrays, without autograd: every layer carries its own forward and backward."""
