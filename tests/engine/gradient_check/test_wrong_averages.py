"""Wrong moving averages: moments that are not the batch's, or that `absorb` takes in otherwise than declared."""
import numpy as np
import pytest

from engine.combinators import Chain, Recompute, Skip, SlicedStage
from engine.gradient_check import check
from engine.layer import Layer, Run
from engine.layers import BatchNorm, Conv2D, Dropout, PooledNorm, ReLU

IMAGES = (4, 4, 6, 2)
F64 = {"dtype": "float64"}
BOTH = {"mean", "variance"}


class HandsOut(BatchNorm):
    """Other moments than those it normalizes by; `moments` makes them of x and the right ones."""

    def moments(self, x, mean, variance):
        return {"mean": mean, "variance": variance}

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        if saved[1].batch is None:
            return dx, grads
        return dx, {"c1": grads["c1"], "c2": grads["c2"]} | self.moments(saved[0], grads["mean"], grads["variance"])


class SampleVariance(HandsOut):
    def moments(self, x, mean, variance):
        M = x.size // x.shape[-1]
        return {"mean": mean, "variance": variance * M / (M - 1)}


class HalfABatch(HandsOut):
    def moments(self, x, mean, variance):
        half = x[:len(x) // 2]
        return {"mean": half.mean((0, 1, 2)), "variance": half.var((0, 1, 2))}


class Exchanged(HandsOut):
    def moments(self, x, mean, variance):
        return {"mean": variance, "variance": mean}


class Absent(HandsOut):
    def moments(self, x, mean, variance):
        return {}


class MeanAlone(HandsOut):
    def moments(self, x, mean, variance):
        return {"mean": mean}


class Deviation(HandsOut):
    def moments(self, x, mean, variance):
        return {"mean": mean, "variance": np.sqrt(variance)}


class SecondMoment(HandsOut):
    def moments(self, x, mean, variance):
        return {"mean": mean, "variance": (x * x).mean((0, 1, 2))}


class InFloat32(HandsOut):
    def moments(self, x, mean, variance):
        return {"mean": mean.astype("f4").astype("f8"), "variance": variance.astype("f4").astype("f8")}


class ChannelsReversed(HandsOut):
    def moments(self, x, mean, variance):
        return {"mean": mean[::-1], "variance": variance[::-1]}


class AlreadyAveraged(HandsOut):
    """The new averages, where absorb expects the batch's moments."""

    def moments(self, x, mean, variance):
        return {"mean": 0.9 * self.buffers["mean"] + 0.1 * mean,
                "variance": 0.9 * self.buffers["variance"] + 0.1 * variance}


class AbsorbedTwice(BatchNorm):
    def absorb(self, grads):
        super().absorb(grads)
        super().absorb(grads)


class PartsExchanged(BatchNorm):
    def absorb(self, grads):
        for name, average in self.buffers.items():
            average[...] = (1 - self.alpha) * average + self.alpha * grads.get(name, average)


class Replaced(BatchNorm):
    def absorb(self, grads):
        for name, average in self.buffers.items():
            average[...] = grads.get(name, average)


class Summed(BatchNorm):
    def absorb(self, grads):
        for name, average in self.buffers.items():
            average[...] = average + (1 - self.alpha) * grads.get(name, 0)


class NeverAbsorbed(BatchNorm):
    def absorb(self, grads):
        pass


class OneAbsorbed(BatchNorm):
    def absorb(self, grads):
        super().absorb({name: g for name, g in grads.items() if name != "variance"})


class AbsorbedAtFirst(BatchNorm):
    """Right the first time, and then no more."""
    absorbed = False

    def absorb(self, grads):
        if not self.absorbed:
            super().absorb(grads)
        self.absorbed = True


# what differs from the layer that it is derived from, and the rows that must fail
LAYERS = [(kind, BOTH) for kind in (SampleVariance, HalfABatch, Exchanged, Absent, MeanAlone, Deviation, SecondMoment,
                                    InFloat32, ChannelsReversed, AlreadyAveraged, AbsorbedTwice, PartsExchanged,
                                    Replaced, Summed, AbsorbedAtFirst, NeverAbsorbed)] + [(OneAbsorbed, {"variance"})]


@pytest.mark.parametrize("statistics", ["batch", "moving"])
@pytest.mark.parametrize(("wrong", "rows"), LAYERS, ids=[kind.__name__ for kind, _ in LAYERS])
def test_every_check_catches_it(wrong, rows, statistics, assert_caught):
    if statistics == "moving" and issubclass(wrong, (NeverAbsorbed, OneAbsorbed)):
        rows = BOTH  # once absorbed, the averages are those that training normalized by: this too is broken
    assert_caught(wrong(2, statistics, **F64), BatchNorm(2, statistics, **F64), IMAGES, rows, least=1e-10)


def network(norm=BatchNorm, combinator=Chain, statistics="batch"):
    conv = Conv2D(2, 3, activation=ReLU(), bias=0.5, rng=np.random.default_rng(0), **F64)
    return combinator(Chain(conv=conv, norm=norm(3, statistics, **F64), drop=Dropout(0.7)))


@pytest.mark.parametrize("combinator", [Chain, Skip, Recompute])
@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_inside_a_network_with_dropout_it_is_caught_at_its_place(combinator, statistics, failures):
    right = network(BatchNorm, combinator, statistics)
    place = "fork.0" if combinator is Skip else "0"
    assert not failures(check, right, IMAGES)
    for wrong in (SampleVariance, AbsorbedTwice):
        found = failures(check, network(wrong, combinator, statistics), IMAGES)
        assert found.keys() == {f"{place}.norm.mean", f"{place}.norm.variance"}


class PassesOnTwice(Chain):
    def absorb(self, grads):
        super().absorb(grads)
        super().absorb(grads)


class PassesOnNothing(Chain):
    def absorb(self, grads):
        pass


@pytest.mark.parametrize("wrong", [PassesOnTwice, PassesOnNothing])
def test_a_network_that_passes_the_moments_on_wrongly(wrong, assert_caught):
    assert_caught(network(combinator=wrong), network(), IMAGES, {"0.norm.mean", "0.norm.variance"})


class SampleVarianceOfTheKept(PooledNorm):
    """The unbiased variance, as if only the numbers that the pooling kept had been measured."""

    def parameter_gradients(self, measured, sums):
        grads = super().parameter_gradients(measured, sums)
        kept = measured.M // 4
        return grads | {"variance": grads["variance"] * kept / (kept - 1)}


def staged(kind=PooledNorm):
    conv = Conv2D(2, 3, activation=ReLU(), bias=0.5, rng=np.random.default_rng(0), **F64)
    return Chain(SlicedStage(conv, kind(3, **F64)), Dropout(0.7))


def test_a_norm_in_a_stage_is_caught_at_its_place(failures):
    assert not failures(check, staged(), IMAGES)
    assert failures(check, staged(SampleVarianceOfTheKept), IMAGES).keys() == {"0.1.mean", "0.1.variance"}


@pytest.mark.parametrize("statistics", ["batch", "moving"])
@pytest.mark.parametrize(("kind", "rows"), [(PooledNorm, set()), (SampleVarianceOfTheKept, BOTH)])
def test_a_norm_with_pooling_is_held_to_the_batchs_moments(kind, rows, statistics, assert_caught):
    assert_caught(kind(2, statistics, **F64), PooledNorm(2, statistics, **F64), IMAGES, rows)


class MeasuresInInference(BatchNorm):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"mean": saved[0].mean((0, 1, 2))}


def test_an_inference_that_hands_out_moments_is_caught(assert_caught):
    assert_caught(MeasuresInInference(2, **F64), BatchNorm(2, **F64), IMAGES, {"mean"}, run=Run(train=False))


class AbsorbsIntoParameters(BatchNorm):
    def absorb(self, grads):
        super().absorb(grads)
        self.params["c2"] -= 0.1 * grads["c2"]


class AbsorbsInPlace(BatchNorm):
    def absorb(self, grads):
        super().absorb(grads)
        for g in grads.values():
            g *= 0


class AbsorbRaises(BatchNorm):
    def absorb(self, grads):
        raise KeyError("mean")


@pytest.mark.parametrize(("wrong", "message"), [(AbsorbsIntoParameters, "absorb changed a parameter"),
                                                (AbsorbsInPlace, "absorb wrote to what it was given"),
                                                (AbsorbRaises, "absorb, or inference after it, raised KeyError")])
def test_absorb_is_held_to_its_part(wrong, message, failures):
    assert message in failures(check, wrong(2, **F64), IMAGES)["(purity)"].message


class Frozen(BatchNorm):
    """Trains with the averages that it has, and hands out nothing: right, since inference gives the same."""

    def measure(self, x, run):
        return super().measure(x, Run(train=False))


class Undeclared(BatchNorm):
    """Says nowhere by which part it averages."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.part = 1 - self.alpha
        del self.alpha

    def absorb(self, grads):
        for name, average in self.buffers.items():
            average[...] = average + self.part * (grads.get(name, average) - average)


class UndeclaredAndUneven(Undeclared):
    def absorb(self, grads):
        for name, average in self.buffers.items():
            average[...] = average + np.array([0.1, 0.3]) * (grads.get(name, average) - average)


def test_other_right_layers_pass(failures):
    for layer in (Frozen(2, **F64), Undeclared(2, **F64), BatchNorm(2, alpha=0.0, **F64)):
        assert not failures(check, layer, IMAGES), layer


def test_without_a_declared_part_it_must_be_one_part(failures):
    assert failures(check, UndeclaredAndUneven(2, **F64), IMAGES).keys() == BOTH


class CentredAtLast(Layer):
    """y = x - m, a composite with an average of its own and a child that is not asked by its forward."""

    def __init__(self):
        super().__init__()
        self.buffers, self.children, self.alpha = {"mean": np.zeros(2)}, {"unused": ReLU()}, 0.5

    def forward(self, x, run):
        mean = x.mean((0, 1, 2)) if run.train else self.buffers["mean"]
        return x - mean, (mean, run.train) if run.record else None

    def backward(self, dy, saved):
        mean, train = saved
        return (dy - dy.mean((0, 1, 2)), {"mean": mean}) if train else (dy, {})

    def absorb(self, grads):
        self.buffers["mean"][...] = 0.5 * self.buffers["mean"] + 0.5 * grads["mean"]


def test_the_averages_of_a_layer_made_of_layers_are_checked_on_the_whole(failures):
    assert not failures(check, CentredAtLast(), IMAGES)
    wrong = CentredAtLast()
    wrong.alpha = 0.75
    assert failures(check, wrong, IMAGES).keys() == {"mean"}


def test_the_message_says_what_is_wrong(failures):
    assert "hands out none" in failures(check, Absent(2, **F64), IMAGES)["mean"].message
    assert "not those that training normalizes by" in failures(check, SampleVariance(2, **F64), IMAGES)["mean"].message
    assert "the declared part 1 - alpha = 0.1" in failures(check, AbsorbedTwice(2, **F64), IMAGES)["mean"].message
