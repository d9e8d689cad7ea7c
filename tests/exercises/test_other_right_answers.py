"""Code that is right in another way than the engine's passes, too: judged is what it does, not how it is written."""
import ast
import textwrap

import pytest

from exercises.catalogue import exercise
from exercises.judge import judge
from exercises.source import template

# For each exercise, what stands in its holes, in their order in the file.
ANSWERS = {
    "dense_forward": ["""
        a = np.zeros((x.shape[0], self.params["b"].shape[0]), x.dtype)
        for n in range(x.shape[0]):
            a[n] = (self.params["W"] * x[n][:, None]).sum(axis=0) + self.params["b"]
        """],
    "dense_backward": ['dx = np.einsum("no,io->ni", da, self.params["W"])', 'dW = np.einsum("ni,no->io", x, da)'],
    "relu": ["return a * (a > 0)", "da = np.where(o > 0, do, np.zeros_like(do))"],
    "sigmoid": ["return (1 + np.tanh(a / 2)) / 2", "return do * o - do * o**2"],
    "softmax_cross_entropy": ["""
        p = np.array([np.exp(sample - max(sample)) / sum(np.exp(sample - max(sample))) for sample in z])
        log_p = np.array([sample - max(sample) - np.log(sum(np.exp(sample - max(sample)))) for sample in z])
        return -(y * log_p).sum(), np.einsum("nj,nk->nj", p, y) - y
        """, "return value / len(logits), gradient / len(logits)"],
    "dropout": ["""
        kept = run.uniform(dy) < self.keep_probability
        return np.where(kept | (not run.train), dy / (self.keep_probability if run.train else 1), 0 * dy), {}
        """, "kept = ~(run.uniform(x) >= self.keep_probability)",
                "return np.where(kept, x / x.dtype.type(self.keep_probability), x.dtype.type(0))"],
    "batch_norm_forward": ["return x.reshape(-1, x.shape[-1]).mean(axis=0), x.reshape(-1, x.shape[-1]).var(axis=0)",
                           "return Measured(batch, m, (v + self.epsilon) ** -0.5, M)",
                           'return (x - measured.m) * measured.s * self.params["c1"] + self.params["c2"]',
                           "average[...] = average + (1 - self.alpha) * (grads[name] - average)"],
    "batch_norm_backward": ["""
        rows, distances = dy.reshape(-1, dy.shape[-1]), (x - centre).reshape(-1, dy.shape[-1])
        return sum(rows), sum(rows * distances)
        """, """
        direct = dy * scale
        through_mean = -kappa_M * scale * sum_dy
        xhat = (x - measured.batch["mean"]) * measured.s
        return direct + through_mean - kappa_M * scale * xhat * (measured.s * sum_dy_x)
        """],
    "convolution_forward": ["""
        y = 0
        for u, v, x_uv in _taps(x, kernel.shape[:2], stride, padding):
            y = y + np.einsum("nijc,ck->nijk", x_uv, kernel[u, v])
        """],
    "convolution_dx": ["return np.swapaxes(kernel[::-1, ::-1], 2, 3)", """
        zeros = np.pad(da, ((0, 0), full[0], full[1], (0, 0)))
        return correlate(zeros, rotate(kernel), None, (1, 1), ((0, 0), (0, 0)))
        """],
    "convolution_dw": ["""
        dW = np.zeros((*kernel_size, x.shape[-1], da.shape[-1]), da.dtype)
        for u, v, x_uv in _taps(x, kernel_size, stride, padding):
            dW[u, v] = np.tensordot(x_uv, da, axes=([0, 1, 2], [0, 1, 2]))
        return dW
        """],
    "convolution_db": ["""
        while x.ndim > 1:
            x = x.sum(axis=0)
        return x
        """],
    "stride_and_padding": ["""
        outputs = math.ceil(size / stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        return math.floor(total / 2), math.ceil(total / 2)
        """, """
        for i in range(height):
            for j in range(width):
                dilated[:, i * stride[0], j * stride[1], :] = da[:, i, j, :]
        """, "first = reach - before - 1"],
    "max_pool": ["before, y = y, np.where(np.isnan(x_uv), x_uv, np.maximum(x_uv, y))",
                 "place = np.where(x_uv > before, np.uint8(k), place)", "dx[index] += dy * (place == k)"],
    "average_pool": ["return np.mean([x[some] for some in windows(x.shape, self.size, self.stride)], axis=0), x.shape",
                     "share = dy / math.prod(self.size)", "dx[index] += share"],
    "upsample": ["return np.kron(x.swapaxes(2, 3), np.ones((1, factor, 1, factor), x.dtype)).swapaxes(2, 3)",
                 "return sum(dy[:, i::factor, j::factor] for i in range(factor) for j in range(factor))"],
    "concatenation": ["return np.append(a, b, axis=a.ndim - 1)", """
        dg, db = np.split(dy, [channels], axis=-1)
        da, grads = super().backward(dg, kept.pop())
        return (da, db), grads
        """],
    "skip": ["return (fx, x), saved", """
        through, grads = super().backward(dfx.pop(), kept.pop())
        return around + through, grads
        """],
    "dice": ["return np.vdot(p, y), np.sum(p) + np.sum(y), np.vdot(1 - p, 1 - y), np.sum(2 - p - y)", """
        A, B, C, D = (total + EPSILON for total in overlap_sums(prediction, y))
        return 1 - A / B - C / D, -(y * B - A) / B**2 + ((1 - y) * D - C) / D**2
        """],
    "sensitivity_specificity": ["return np.vdot((p - y)**2, y), y.sum(), np.vdot((p - y)**2, 1 - y), (1 - y).sum()", """
        value = rho * s / (mask + EPSILON) + (1 - rho) * t / (rest + EPSILON)
        weights = rho * y / (mask + EPSILON) + (1 - rho) * (1 - y) / (rest + EPSILON)
        return value, -2 * weights * (y - prediction)
        """],
    "adam": ["m1 += (1 - beta1) * (gradient - m1)", "m2 += (1 - beta2) * (gradient**2 - m2)", """
        rate = learning_rate * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        parameter -= rate * m1 / (np.sqrt(m2) + epsilon * math.sqrt(1 - beta2**step))
        """],
    "xavier": ["return math.prod(shape) // channels_out, math.prod(shape) // channels_in",
               "bound = math.sqrt(3) * math.sqrt(2 / sum(fans(shape)))", "deviation = (sum(fans(shape)) / 2)**-0.5"],
    "gradient_checker": ["return 3 * rng.standard_normal(y.shape)", """
        v = rng.uniform(-1, 1, shape)
        return v / math.sqrt(np.sum(v * v))
        """, "passed = bool(np.isclose(numeric, exact, rtol=tolerance, atol=unseen))",
                         "exact = float(np.sum(self.found.gradients[parameter] * direction))", """
        above, below = (np.sum(self.found.dy * y) for y in (difference.above, difference.below))
        numeric = float(above - below) / step / 2
        """],
    "recompute": ["""
        y = super().forward(x, run)[0]
        return y, {"x": x, "run": run} if run.record else None
        """, 'return super().backward(dy, super().forward(saved["x"], saved["run"])[1])'],
    "training": ["""
        result = layer.forward(x, run.child(place))
        x, kept = result
        """, """
        gradient_here, saved_here = gradient.pop(), saved.pop()
        dx, own = layer.backward(gradient_here, saved_here)
        """, """
        y, saved = network.forward(x, run)
        value, dy = loss(y, target)
        dx, grads = network.backward(dy, saved)
        return value, grads
        """],
}


def filled(name):
    """The template with the answers in its holes, and the imports that they use."""
    lines = template(exercise(name)).splitlines()
    places = [node for node in ast.walk(ast.parse("\n".join(lines)))
              if isinstance(node, ast.Assign | ast.Return) and isinstance(node.value, ast.Constant)
              and node.value.value is ...]
    places.sort(key=lambda node: node.lineno)
    for node, answer in reversed(list(zip(places, ANSWERS[name], strict=True))):
        lines[node.lineno - 1] = textwrap.indent(textwrap.dedent(answer).strip(), " " * node.col_offset)
    future = "from __future__ import annotations\n"
    return "\n".join(lines).replace(future, f"{future}\nimport math\n\nimport numpy as np\n", 1)


@pytest.mark.parametrize("name", ANSWERS)
def test_another_right_answer_passes(name):
    verdict = judge(exercise(name), filled(name), 0)
    assert verdict.passed, verdict.text()
