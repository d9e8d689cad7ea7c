"""Every registered version of every kernel against its definition: a fast path cannot exist untested."""
import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import engine.kernels
from engine.kernels.convolution import output_size
from engine.kernels.cpu import threads, use_threads, winograd
from engine.kernels.cpu.convolution import winograd_is_faster
from engine.kernels.cpu.direct import Geometry
from engine.kernels.cpu.winograd import small
from engine.layers.conv2d import rotate

DTYPES = ["float32", "float64", "complex128"]


# made of kernels that are tested here: test_adam.py, test_winograd.py
ELSEWHERE = {"adam_update_all", "gradients_together"}


def find_kernels():
    """Every singledispatch function in the package that takes arrays, exported or not, by name."""
    modules = [importlib.import_module(module.name)
               for module in pkgutil.walk_packages(engine.kernels.__path__, "engine.kernels.")]
    return {name: value for module in (engine.kernels, *modules) for name, value in vars(module).items()
            if hasattr(value, "registry") and hasattr(value, "dispatch") and name not in ELSEWHERE}


KERNELS = find_kernels()


def numbers(rng, dtype, *shape):
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if dtype.startswith("complex") else x).astype(dtype)


def contiguous(rng, dtype, *shape):
    return numbers(rng, dtype, *shape)


def transposed(rng, dtype, *shape):
    return numbers(rng, dtype, *reversed(shape)).T


def strided(rng, dtype, *shape):
    every_other = (..., *[slice(None, None, 2)] * min(2, len(shape)))
    return numbers(rng, dtype, *shape[:-2], *(2 * size for size in shape[-2:]))[every_other]


def backwards(rng, dtype, *shape):
    return numbers(rng, dtype, *shape)[tuple(slice(None, None, -1) for _ in shape)]


def repeated(rng, dtype, *shape):
    return np.broadcast_to(numbers(rng, dtype, *shape[-1:]), shape)


def channels_first(rng, dtype, *shape):
    return np.moveaxis(numbers(rng, dtype, *shape[-1:], *shape[:-1]), 0, -1)


def unaligned(rng, dtype, *shape):
    """At an odd byte."""
    x = numbers(rng, dtype, *shape)
    return np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(shape)


def overlapping(rng, dtype, *shape):
    """x[i,j,k] = v[i + j + k]."""
    v = numbers(rng, dtype, sum(shape) + 1)
    return as_strided(v, shape, v.strides * len(shape), writeable=False)


def stray(stride):
    """Any stride in an axis of length 1, as x[..., None] and broadcast_to make them: NumPy calls that contiguous."""
    def memory(rng, dtype, *shape):
        x = numbers(rng, dtype, *shape)
        strides = [stride if size == 1 else own for size, own in zip(shape, x.strides, strict=True)]
        return as_strided(x, shape, strides, writeable=False)

    memory.__name__ = f"stray_{stride}"
    return memory


def foreign(rng, dtype, *shape):
    """Of the other byte order."""
    x = numbers(rng, dtype, *shape)
    return x.astype(x.dtype.newbyteorder())


LAYOUTS = [contiguous, transposed, strided, backwards, repeated, channels_first, unaligned, overlapping,
           stray(0), stray(-3), stray(1 << 20), foreign]


# image, kernel size, channels out, stride, padding: small and odd, few channels and many, kernels that reach over every
# edge, stride beyond the kernel, several images in one block, several blocks in one image
CONVOLUTIONS = [
    ((2, 5, 7, 3), (3, 3), 4, (1, 1), ((1, 1), (1, 1))),
    ((3, 1, 1, 1), (3, 3), 2, (1, 1), ((1, 1), (1, 1))),
    ((2, 9, 4, 17), (3, 2), 5, (2, 3), ((0, 0), (0, 0))),
    ((1, 6, 5, 2), (5, 4), 3, (1, 2), ((4, 1), (0, 3))),
    ((2, 7, 6, 6), (1, 1), 3, (3, 2), ((0, 0), (0, 0))),
    ((2, 3, 3, 8), (2, 2), 1, (1, 1), ((5, 4), (4, 6))),
    ((221, 9, 11, 5), (3, 3), 4, (1, 1), ((1, 1), (1, 1))),
    ((1, 150, 130, 4), (3, 3), 5, (1, 1), ((1, 1), (1, 1))),
    ((2, 60, 121, 16), (3, 3), 3, (2, 1), ((1, 0), (0, 1))),
    ((1, 85, 50, 64), (3, 3), 17, (1, 1), ((1, 1), (1, 1))),
    ((1, 24, 20, 128), (3, 3), 257, (1, 1), ((2, 0), (1, 1))),
    ((2, 4, 3, 64), (3, 3), 300, (1, 1), ((1, 1), (1, 1))),
]


# axes of length 1, and no images at all
THIN = [((2, 5, 1, 3), (3, 1), 1, (1, 1), ((1, 1), (0, 0))), ((1, 1, 6, 1), (1, 2), 2, (1, 1), ((0, 0), (0, 0))),
        ((0, 4, 5, 2), (3, 3), 3, (1, 1), ((1, 1), (1, 1)))]


POOLINGS = [((2, 6, 8, 3), (2, 2), (2, 2)), ((3, 7, 5, 2), (2, 2), (2, 2)), ((2, 7, 9, 3), (3, 2), (2, 1)),
            ((1, 5, 5, 4), (1, 1), (2, 2)), ((2, 4, 4, 1), (4, 4), (4, 4)), ((2, 16, 17, 2), (16, 16), (1, 1)),
            ((1, 9, 9, 2), (2, 2), (3, 4)), ((2, 6, 1, 1), (2, 1), (2, 1)), ((2, 7, 6, 2), (2, 2), (2, 2)),
            ((2, 6, 7, 2), (2, 2), (2, 2)), ((0, 4, 6, 2), (2, 2), (2, 2)),
            ((0, 4, 6, 2), (2, 2), (1, 1)), ((1, 96, 130, 90), (2, 2), (2, 2))]


# several blocks and pixels that fill no row of the last, in every dtype; channels enough for a row of their own
CHANNELS = [(3, 5, 7, 6), (4, 9), (1, 1), (1, 1, 1, 5), (7, 100, 91, 5), (3, 2, 1500), (2, 4, 1, 1), (0, 3)]


def convolutions(dtype):
    """Complex numbers go the direct way, which the small shapes cover: spare them the large ones."""
    return THIN + (CONVOLUTIONS[:-3] if dtype.startswith("complex") else CONVOLUTIONS)


def convolution_cases(rng, dtype, memory):
    for shape, size, out, stride, padding in convolutions(dtype):
        x, kernel, bias = memory(rng, dtype, *shape), memory(rng, dtype, *size, shape[3], out), memory(rng, dtype, out)
        yield x, kernel, None, stride, padding
        yield x, kernel, bias, stride, padding, np.square


def kernel_gradient_cases(rng, dtype, memory):
    for shape, size, out, stride, padding in convolutions(dtype):
        height, width = (output_size(shape[1 + axis], size[axis], stride[axis], padding[axis]) for axis in (0, 1))
        yield (memory(rng, dtype, *shape), memory(rng, dtype, shape[0], height, width, out), size, stride, padding)


def pool_cases(rng, dtype, memory):
    for shape, size, stride in POOLINGS:
        yield memory(rng, dtype, *shape), size, stride
        yield np.round(2 * memory(rng, dtype, *shape).real).astype(dtype), size, stride  # ties


def pool_gradient_cases(rng, dtype, memory):
    for shape, size, stride in POOLINGS:
        height, width = (output_size(shape[1 + axis], size[axis], stride[axis], (0, 0)) for axis in (0, 1))
        dy = memory(rng, dtype, shape[0], height, width, shape[3])
        yield dy, rng.integers(0, size[0] * size[1], dy.shape).astype(np.uint8), shape, size, stride


def combine_pooled_cases(rng, dtype, memory):
    for shape, size, stride in (*POOLINGS, ((600, 4, 6, 40), (2, 2), (2, 2))):  # blocks of several images
        if size != stride:
            continue
        place = rng.integers(0, size[0] * size[1], (shape[0], *(shape[1 + k] // size[k] for k in (0, 1)), shape[3]))
        yield (memory(rng, dtype, *place.shape), memory(rng, dtype, *shape),
               *(memory(rng, dtype, shape[3]) for _ in range(4)), place.astype(np.uint8), size)


def product_cases(rng, dtype, memory):
    for rows, inner, columns in ((3, 4, 5), (1, 7, 1), (5, 1, 600), (601, 3, 2), (8, 1100, 1100), (0, 3, 2)):
        yield memory(rng, dtype, rows, inner), memory(rng, dtype, inner, columns)


def channel_cases(tensors, vectors):
    def cases(rng, dtype, memory):
        for shape in CHANNELS:
            yield (*(memory(rng, dtype, *shape) for _ in range(tensors)),
                   *(memory(rng, dtype, shape[-1]) for _ in range(vectors)))
    return cases


def upsample_cases(rng, dtype, memory):
    for shape, factor in (((3, 5, 7, 6), 2), ((1, 2, 3, 1), 3), ((2, 1, 1, 4), 1), ((2, 70, 64, 40), 2),
                          ((0, 2, 3, 1), 2)):
        yield memory(rng, dtype, *shape), factor


def upsample_gradient_cases(rng, dtype, memory):
    for (n, height, width, channels), factor in (((3, 5, 7, 6), 2), ((1, 2, 3, 1), 3), ((2, 1, 1, 4), 1),
                                                 ((2, 140, 64, 40), 2), ((0, 2, 3, 1), 2)):
        yield memory(rng, dtype, n, factor * height, factor * width, channels), factor


def concatenate_cases(rng, dtype, memory):
    for shape, more in (((3, 5, 7, 6), 2), ((1, 1, 1, 1), 3), ((4, 9), 2), ((2, 70, 64, 40), 80), ((0, 2, 3, 1), 2)):
        yield memory(rng, dtype, *shape), memory(rng, dtype, *shape[:-1], more)


def add_cases(rng, dtype, memory):
    for shape in ((3, 5, 7, 6), (1, 1, 1, 1), (4, 9), (5,), (2, 140, 64, 40), (0, 2, 3, 1)):
        yield memory(rng, dtype, *shape), memory(rng, dtype, *shape)


def activation_cases(rng, dtype, memory):
    for shape in ((3, 5, 7, 6), (1,), ((1 << 19) + 11,), (0, 3)):
        yield memory(rng, dtype, *shape),


def relu_cases(rng, dtype, memory):
    for shape in (*CHANNELS, (1,)):
        o = memory(rng, dtype, *shape)
        yield memory(rng, dtype, *shape), o
        yield memory(rng, dtype, *shape), np.where(o.real > 0, o, np.zeros_like(o))


def uniform_cases(rng, dtype, memory):
    for shape, seed in (((3, 5, 7, 6), (0,)), ((1,), (3, 1)), ((8,), (0, 0)), (((1 << 19) + 11,), (2**40, 5, 1)),
                        ((0, 3), (1,))):
        yield memory(rng, dtype, *shape), seed


def loss_cases(tensors, *rest):
    def cases(rng, dtype, memory):
        for shape in ((3, 5, 7, 6), (4, 1), (400, 401), (0, 3)):
            yield *(memory(rng, dtype, *shape) for _ in range(tensors)), *rest
    return cases


def adam_cases(rng, dtype, memory):
    for shape in ((5, 7), (3, 3, 4, 6), ((1 << 19) + 11,)):
        # real moments of their own: copies, since the kernel writes to them
        arrays = [np.array(memory(rng, "float64", *shape), dtype) for _ in range(4)]
        arrays[1] = memory(rng, "float64", *shape).astype(dtype, copy=False)
        yield (*arrays[:3], arrays[3] ** 2, 3, 1e-3, 0.9, 0.999, 1e-8)


CASES = {
    "correlate": convolution_cases,
    "correlate_kernel_gradient": kernel_gradient_cases,
    "max_pool": pool_cases,
    "max_pool_gradient": pool_gradient_cases,
    "matrix_product": product_cases,
    "channel_sums": channel_cases(1, 0),
    "batch_moments": channel_cases(1, 0),
    "scale_and_shift": channel_cases(1, 3),
    "gradient_sums": channel_cases(2, 1),
    "combine": channel_cases(2, 4),
    "combine_pooled": combine_pooled_cases,
    "adam_update": adam_cases,
    "upsample": upsample_cases,
    "upsample_gradient": upsample_gradient_cases,
    "concatenate": concatenate_cases,
    "add": add_cases,
    "sigmoids": loss_cases(1),
    "overlap_sums": loss_cases(2),
    "error_sums": loss_cases(2),
    "softmax_loss": loss_cases(2),
    "logistic_loss": loss_cases(2, 3.0),
    "uniform": uniform_cases,
    "relu": activation_cases,
    "relu_gradient": relu_cases,
}
OF_ANY = ("relu", "max_pool", "upsample", "concatenate", "uniform")  # numbers: they choose, move, or make some
WRITES = {"adam_update": (0, 2, 3)}  # the arguments that a kernel overwrites: its results


def call(function, name, arguments):
    """The results as a list of arrays; what the kernel may write to is a copy, the rest is read-only."""
    written = WRITES.get(name, ())
    arguments = [np.array(argument) if place in written else argument for place, argument in enumerate(arguments)]
    for place, argument in enumerate(arguments):
        if isinstance(argument, np.ndarray) and place not in written:
            argument.flags.writeable = False
    results = function(*arguments)
    if written:
        return [arguments[place] for place in written]
    return list(results) if isinstance(results, tuple) else [results]


def exactly(definition, name, arguments):
    """The definition's results in twice the digits or as many as NumPy has, in the dtypes of its plain results."""
    more = {"float32": "float64", "float64": "longdouble", "complex128": "clongdouble"}
    precise = [argument.astype(more.get(str(argument.dtype), argument.dtype)) if isinstance(argument, np.ndarray)
               else argument for argument in arguments]
    return zip(call(definition, name, precise), call(definition, name, arguments), strict=True)


def scale_of(array):
    return max(1.0, float(np.abs(array).max(initial=0)))


def test_every_kernel_has_a_case_and_a_numpy_version():
    assert KERNELS.keys() == CASES.keys(), "a kernel without a case here is an untested kernel"
    assert all(np.ndarray in kernel.registry for kernel in KERNELS.values())


def expect_agreement(results, expected, dtype):
    for result, (right, plain) in zip(results, expected, strict=True):
        assert isinstance(result, np.ndarray)
        assert (result.shape, result.dtype) == (plain.shape, plain.dtype)
        if plain.dtype == np.uint8:
            assert (result == right).all()
        elif np.isnan(right).all():  # the mean of nothing
            assert np.isnan(result).all()
        else:
            tolerance = 2e-5 if dtype == "float32" else 4e-14
            assert np.abs(result - right).max(initial=0) <= tolerance * scale_of(right)


OF_NOTHING = pytest.mark.filterwarnings("ignore:Mean of empty|invalid value encountered in:RuntimeWarning")


@pytest.mark.parametrize("memory", [contiguous, transposed, strided], ids=lambda memory: memory.__name__)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", KERNELS)
@OF_NOTHING
def test_every_version_agrees_with_the_definition(name, dtype, memory):
    kernel = KERNELS[name]
    for case in CASES[name](np.random.default_rng(1), dtype, memory):
        # a version for other arrays has its own machine's tests
        expect_agreement(call(kernel.registry[np.ndarray], name, case),
                         exactly(kernel.dispatch(object), name, case), dtype)


LARGE = 5000


def small_cases(name, dtype, memory):
    """Those of few numbers, in this layout."""
    def unless_large(rng, dtype, *shape):
        return memory(rng, dtype, *shape) if np.prod(shape) < LARGE else np.broadcast_to(np.zeros((), dtype), shape)

    for case in CASES[name](np.random.default_rng(1), dtype, unless_large):
        if all(argument.size < LARGE for argument in case if isinstance(argument, np.ndarray)):
            yield case


@pytest.mark.parametrize("memory", LAYOUTS, ids=lambda memory: memory.__name__)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", KERNELS)
@OF_NOTHING
def test_every_version_takes_every_layout_that_numpy_can_make(name, dtype, memory):
    kernel = KERNELS[name]
    for case in small_cases(name, dtype, memory):
        same = [np.array(argument, argument.dtype.newbyteorder("=")) if isinstance(argument, np.ndarray) else argument
                for argument in case]
        expect_agreement(call(kernel.registry[np.ndarray], name, case), exactly(kernel.dispatch(object), name, same),
                         dtype)


# x, outputs, padding: thin, one channel or output, tiles that are not filled, whole slices
WINOGRADS = [((2, 9, 7, 3), 1, ((1, 1), (1, 1))), ((1, 8, 8, 1), 2, ((1, 1), (1, 1))),
             ((1, 3, 3, 64), 1, ((0, 0), (0, 0))), ((3, 1, 13, 40), 64, ((1, 1), (0, 0))),
             ((1, 14, 1, 1), 1, ((2, 2), (1, 1)))]


@pytest.mark.parametrize("few", [winograd.FEW_TILES, 0])
@pytest.mark.parametrize("small", [winograd.SMALL_KERNEL, 0])
@pytest.mark.parametrize("memory", LAYOUTS, ids=lambda memory: memory.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_winograds_method_takes_every_layout_that_numpy_can_make(dtype, memory, small, few, monkeypatch):
    """Where the shapes would not choose it, too."""
    for name, value in ("SMALL_KERNEL", small), ("SMALL_FOR_BOTH", small), ("FEW_TILES", few):
        monkeypatch.setattr(winograd, name, value)
    rng, stride = np.random.default_rng(5), (1, 1)
    for shape, out, padding in WINOGRADS:
        height, width = (output_size(shape[1 + axis], 3, 1, padding[axis]) for axis in (0, 1))
        x, kernel, bias, da = (memory(rng, dtype, *each) for each in (
            shape, (3, 3, shape[3], out), (out,), (shape[0], height, width, out)))
        if memory is foreign:
            assert not winograd.takes(x, da) and not winograd.takes(np.array(x, dtype), da)
            continue
        forward, backward = (x, kernel, bias, stride, padding, np.square), (x, da, (3, 3), stride, padding)
        back = winograd.padding_back(shape, da.shape, padding)
        dx, dW = winograd.both_gradients(x, da, kernel, padding)
        for name, results, case in (
                ("correlate", winograd.correlate(x, kernel, bias, padding, np.square), forward),
                ("correlate", dx, (da, rotate(kernel), None, stride, back)),
                ("correlate_kernel_gradient", winograd.kernel_gradient(x, da, padding), backward),
                ("correlate_kernel_gradient", dW, backward)):
            expect_agreement([results], exactly(KERNELS[name].dispatch(object), name, case), dtype)


def test_the_convolutions_above_cover_several_blocks_an_image_and_several_images_a_block():
    kinds = set()
    for shape, size, out, stride, padding in CONVOLUTIONS:
        if winograd_is_faster(shape, (*size, shape[3], out), stride, padding):
            continue
        blocks = Geometry(shape, size, stride, padding).blocks(4, out)
        kinds.add("several images" if blocks[0][0].stop > 1 else "one image")
        if len({images.start for images, _ in blocks}) < len(blocks):
            kinds.add("several blocks an image")
        if len(blocks) > 1 and blocks[0][0].stop > 1:
            kinds.add("several blocks of several images")
    assert kinds == {"several images", "one image", "several blocks an image", "several blocks of several images"}


def test_the_convolutions_above_cover_winograds_small_and_large_kernels():
    kinds = set()
    for shape, size, out, stride, padding in CONVOLUTIONS:
        if winograd_is_faster(shape, (*size, shape[3], out), stride, padding):
            several = len(winograd.tiling_of(shape, padding).blocks(small.BLOCK // max(shape[3], out))) > 1
            kinds.add("large" if shape[3] * out > winograd.SMALL_KERNEL else f"small, several blocks: {several}")
    assert kinds == {"large", "small, several blocks: True"}  # test_winograd.py has all the partitions


@pytest.mark.parametrize(("name", "complex_place"), [("correlate", 2), ("scale_and_shift", 3), ("combine", 5)])
def test_one_complex_argument_makes_the_result_complex(name, complex_place):
    """Complex-step differentiation moves one argument at a time."""
    cases = CASES[name](np.random.default_rng(2), "float64", contiguous)
    case = [case[:6] for case in cases if case[2] is not None and case[0].size][-1]
    case = [argument + 1j if place == complex_place else argument for place, argument in enumerate(case)]
    result, = call(KERNELS[name], name, case)
    right, = call(KERNELS[name].dispatch(object), name, case)
    assert result.dtype == right.dtype == np.complex128
    assert np.abs(result - right).max() < 1e-12 * scale_of(right)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float16"])
@pytest.mark.parametrize("name", KERNELS)
@OF_NOTHING
def test_numbers_that_wrap_round_are_refused_by_kernels_that_add_or_multiply(name, dtype):
    """And taken by those that only choose and move."""
    for case in small_cases(name, "float32", contiguous):
        case = [np.abs(4 * argument).astype(dtype) if isinstance(argument, np.ndarray) else argument
                for argument in case]
        if name in OF_ANY:
            results, right = call(KERNELS[name], name, case), call(KERNELS[name].dispatch(object), name, case)
            for result, expected in zip(results, right, strict=True):
                assert result.dtype == expected.dtype
                np.testing.assert_array_equal(result, expected)
        else:
            message = rf"{name} was given numbers of type {dtype}; expected floating or complex .* convert"
            with pytest.raises(ValueError, match=message):
                KERNELS[name](*case)


@pytest.mark.parametrize("name", KERNELS)
def test_every_argument_that_is_computed_with_has_to_be_floating(name):
    case = next(case for case in CASES[name](np.random.default_rng(1), "float32", contiguous) if case[0].size)
    arrays = [place for place, argument in enumerate(case)
              if isinstance(argument, np.ndarray) and argument.dtype != np.uint8]  # which are places of maxima
    if name in OF_ANY:
        return
    for place in arrays:
        wrong = [argument.astype("int32") if at == place else argument for at, argument in enumerate(case)]
        with pytest.raises(ValueError, match="was given numbers of type int32"):
            KERNELS[name](*wrong)


def large_case(name, dtype):
    """The case with the most numbers."""
    return max(CASES[name](np.random.default_rng(3), dtype, contiguous),
               key=lambda case: sum(argument.size for argument in case if isinstance(argument, np.ndarray)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERNELS)
def test_the_bits_do_not_depend_on_the_number_of_threads(name, dtype, threads_restored):
    case = large_case(name, dtype)
    bits = set()
    for count in (1, 2, 8):
        use_threads(count)
        for _ in range(2):
            bits.add(b"".join(result.tobytes() for result in call(KERNELS[name], name, case)))
    assert len(bits) == 1


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the mean of nothing
def test_the_bits_do_not_depend_on_other_kernels_under_way(name):
    cases = list(CASES[name](np.random.default_rng(4), "float32", contiguous))
    alone = [[result.tobytes() for result in call(KERNELS[name], name, case)] for case in cases]

    def again(_):
        return [[result.tobytes() for result in call(KERNELS[name], name, case)] for case in cases]

    with ThreadPoolExecutor(4) as callers:
        assert all(bits == alone for bits in callers.map(again, range(4)))


def test_max_pool_without_places_gives_the_same_maxima():
    for x, size, stride in pool_cases(np.random.default_rng(3), "float64", contiguous):
        for version in KERNELS["max_pool"].registry.values():
            y, place = version(x, size, stride, False)
            assert place is None
            assert y.tobytes() == version(x, size, stride)[0].tobytes()


def test_moments_keep_their_precision_far_from_zero_and_over_many_rows():
    x = (1000 + np.random.default_rng(5).normal(size=(1, 1024, 1024, 1))).astype("float32")
    mean, variance = KERNELS["batch_moments"](x)
    exact = x.astype("float64")
    assert abs(mean[0] / exact.mean() - 1) < 1e-6
    assert abs(variance[0] / exact.var() - 1) < 1e-4


@pytest.fixture
def asked(threads_restored):
    """What the one helper of two threads was asked to do."""
    use_threads(2)
    helpers, asked = threads._pool().helpers, []
    call = helpers.call

    def counted(function, times):
        asked.append(function)
        call(function, times)

    helpers.call = counted
    return asked


@pytest.mark.parametrize("name", KERNELS)
def test_large_arrays_are_work_for_several_threads(name, asked):
    for case in CASES[name](np.random.default_rng(3), "float32", contiguous):
        if case[0].size > LARGE:
            call(KERNELS[name], name, case)
    assert asked


@pytest.mark.parametrize("shape", [(3000, 500), (500, 3000)])
def test_high_and_wide_products_are_work_for_several_threads(shape, asked):
    KERNELS["matrix_product"](np.ones((shape[0], 2)), np.ones((2, shape[1])))
    assert asked


@pytest.mark.parametrize("name", KERNELS)
@OF_NOTHING
def test_nothing_is_read_that_was_not_written_and_nothing_is_left_out(name, monkeypatch, threads_restored):
    """The same bits where all new memory, results and work space, is full of NaN."""
    use_threads(1)  # all work space is this thread's
    cases = [case for dtype in ("float32", "complex128") for case in small_cases(name, dtype, contiguous)]
    expected = [[result.tobytes() for result in call(KERNELS[name], name, case)] for case in cases]
    empty = np.empty

    def full_of_nan(shape, dtype=float):
        array = empty(shape, dtype)
        array.reshape(-1).view(np.uint8)[...] = 255
        return array

    for case, right in zip(cases, expected, strict=True):
        threads._scratch.__dict__.clear()
        with monkeypatch.context() as patch:
            patch.setattr(np, "empty", full_of_nan)
            results = call(KERNELS[name], name, case)
        assert [result.tobytes() for result in results] == right
    threads._scratch.__dict__.clear()


def test_of_complex_numbers_the_real_part_alone_decides():
    """Complex-step differentiation: NumPy's maximum and its > would look at the imaginary part where the real is 0."""
    x = np.array([0j, 1j, -1j, 1 - 5j, -1 + 5j, 2 + 0j])
    o = np.array([0j, 0j, 0j, 1 - 5j, 0j, 2 + 0j])
    for version in KERNELS["relu"].registry.values():
        np.testing.assert_array_equal(version(x), o)
    for version in KERNELS["relu_gradient"].registry.values():
        np.testing.assert_array_equal(version(np.ones_like(x), x)[0], [0, 0, 0, 1, 0, 1])
    eye = np.eye(1).reshape(1, 1, 1, 1)
    for version in KERNELS["correlate"].registry.values():
        y = version(x.reshape(1, 1, 6, 1), eye, None, (1, 1), ((0, 0), (0, 0)), KERNELS["relu"])
        np.testing.assert_array_equal(y.ravel(), o)


def test_the_blocks_cover_the_output_once():
    for shape, size, out, stride, padding in CONVOLUTIONS:
        geometry = Geometry(shape, size, stride, padding)
        covered = np.zeros((shape[0], *geometry.out_size), int)
        for images, rows in geometry.blocks(8, out):
            covered[images, rows] += 1
        assert (covered == 1).all()
