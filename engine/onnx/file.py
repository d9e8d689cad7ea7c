"""The graph of a network as ONNX's file."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Array, empty
from engine.files import write_whole
from engine.graph import Graph, Value
from engine.layer import Layer
from engine.onnx.comparison import computed
from engine.onnx.extra import library
from engine.version import PACKAGE, __version__

# The lowest that has all we need: since 13 Softmax works along one axis and Resize needs no region of interest. IR 7 is
# the file format of its time (ONNX 1.8, 2020). Runtimes read older versions and refuse newer ones than they know.
OPSET = 13
IR_VERSION = 7
BATCH = "N"  # the name of the first axis, which may have any length


def export(network: Layer, shape: tuple[int, ...], outputs: Sequence[str] = ("y",),
           metadata: Mapping[str, str] | None = None) -> Any:
    """The network in inference as an onnx.ModelProto, "x": (N, *shape) float32 -> "y", for any number N of samples.

    shape: of a sample, (H, W, C) or (C,), as the engine has it; so is y's: the file moves the channels to the second
    place at its entrance, and back at its exit where y is an image. Kernels are constants, by their paths, in ONNX's
    order (out, in, rows, columns). SAME padding is written out for H and W, so these are fixed. A network in float64 is
    rounded to float32. outputs: their names, two where the network ends in a Fork. metadata: texts by name, kept in the
    file. The same network gives the same bytes.

    Raises ValueError, led by the layer's path, where the network does not take such a sample, or a layer's class does
    not say what it is in ONNX; and ImportError where the library is not installed.
    """
    onnx = library("onnx")
    shapes = [tuple(y.shape[1:]) for y in computed(network, _zeros(network, shape))]
    graph = Graph()
    entered = Value("x", tuple(shape))
    if len(shape) > 1:
        entered = graph.add("Transpose", [entered], shape, perm=(0, len(shape), *range(1, len(shape))))
    left = network.onnx(graph, entered)
    ends = [graph.add("Identity", [y], y.shape) if y is entered else y
            for y in map(graph.channels_last, left if isinstance(left, tuple) else [left])]
    if [y.shape for y in ends] != shapes or len(ends) != len(outputs):
        raise ValueError(f"{network!r:.40} computes {shapes} from a sample, its ONNX form says "
                         f"{[y.shape for y in ends]} and the outputs are called {', '.join(outputs)}: expected as "
                         "many, of the same shapes")
    called = dict(zip((y.name for y in ends), outputs, strict=True))  # everything else by the node that makes it
    nodes = [onnx.helper.make_node(node.operator, [called.get(name, name) for name in node.inputs],
                                   [called.get(node.name, node.name)], node.name, **node.attributes)
             for node in graph.nodes]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "network", [_end("x", shape)], list(map(_end, outputs, shapes)), constants),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name=PACKAGE,
        producer_version=__version__)
    onnx.helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model, full_check=True)
    return model


def write(path: str | Path, model: Any) -> None:
    """Replace the file at `path` in one step: see engine.files. Raises OSError."""
    write_whole(Path(path), model.SerializeToString(deterministic=True))


def _zeros(network: Layer, shape: tuple[int, ...]) -> Array:
    """A sample in the network's place and dtype."""
    x = empty((1, *shape), next(iter(network.parameters().values()), np.empty(0, np.float32)))
    x[...] = 0
    return x


def _end(name: str, shape: tuple[int, ...]) -> Any:
    onnx = library("onnx")
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [BATCH, *shape])
