"""float32 unless TF32 is asked for, and then within TF32's tolerance: 5e-3 of the root mean square."""
import numpy as np
import pytest

from engine.kernels import correlate, correlate_kernel_gradient
from engine.kernels.cuda.arrays import emulated
from engine.kernels.cuda.precision import takes_tf32, use_precision

SAME = (1, 1), ((1, 1), (1, 1))
TOLERANCES = {"fp32": 1e-5, "tf32": 5e-3}
OPERATIONS = {  # operation: the shapes of its arrays, what it is given behind them
    correlate: (((2, 9, 8, 64), (3, 3, 64, 64), (64,)), SAME),
    correlate_kernel_gradient: (((2, 12, 12, 32), (2, 12, 12, 64)), ((3, 3), *SAME)),
}


def error(operation, precision, dtype="float32"):
    """The largest error, in units of the exact result's root mean square."""
    shapes, rest = OPERATIONS[operation]
    arrays = [np.random.default_rng(9).normal(size=shape) for shape in shapes]
    exact = operation.dispatch(object)(*arrays, *rest)
    with use_precision(precision):
        result = operation(*(emulated(each.astype(dtype)) for each in arrays), *rest)
    return np.abs(np.asarray(result) - exact).max() / np.sqrt((exact ** 2).mean())


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_each_precision_keeps_its_tolerance(operation, precision):
    assert error(operation, precision) < TOLERANCES[precision]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_tf32_is_less_than_float32_and_nobody_gets_it_unasked(operation):
    assert error(operation, "tf32") > 10 * TOLERANCES["fp32"]
    shapes, rest = OPERATIONS[operation]
    arrays = [emulated(np.random.default_rng(9).normal(size=shape).astype("float32")) for shape in shapes]
    unasked = operation(*arrays, *rest)
    with use_precision("fp32"):
        np.testing.assert_array_equal(unasked, operation(*arrays, *rest))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_float64_stays_float64(operation):
    assert error(operation, "tf32", "float64") < 1e-12


def test_a_precision_ends_with_its_context_also_after_an_error():
    x = np.zeros(3, "float32")
    with use_precision("tf32"):
        with use_precision("fp32"):
            assert not takes_tf32(x)
        assert takes_tf32(x) and not takes_tf32(x.astype("float64"))
        with pytest.raises(ZeroDivisionError), use_precision("fp32"):
            raise ZeroDivisionError
        assert takes_tf32(x)
    assert not takes_tf32(x)


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="precision is 'bf16'; expected 'fp32' or 'tf32'"), use_precision("bf16"):
        pass
