"""A network as an ONNX file, which other runtimes compute. Needs the extra "onnx": pip install -e ".[onnx]".

    model = export(network, (128, 128, 1))
    write("network.onnx", model)
    largest_difference(model, network, x)       onnxruntime's answer beside the engine's

Layers say themselves what they are (Layer.onnx, engine.graph); nothing else of the engine imports this package.
"""
from engine.onnx.comparison import largest_difference, run
from engine.onnx.file import IR_VERSION, OPSET, export, write

__all__ = ["IR_VERSION", "OPSET", "export", "largest_difference", "run", "write"]
