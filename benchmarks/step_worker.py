"""One process that makes steps on command: of our engine, PyTorch, TensorFlow or a runtime. Nothing else runs in it.

So its peak memory is that of one engine and one task: the interpreter, the libraries, the network, Adam's two averages,
the batch, the activations and all work space, as the operating system counts them (ru_maxrss).
"""
from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

LEARNING_RATE = 5e-5
MATRIX = 1024
Step = Callable[[], Any]


@dataclass(frozen=True)
class Task:
    """What a worker does. engine: "ours", "recomputing" (ours, keeping less), "prepared" (ours, engine.prepared),
    "torch", "tensorflow", "onnxruntime" or "openvino"; "prepared" and the last two infer only, the latter by the ONNX
    file of our network.

    kind: "train" (forward, loss, backward, Adam), "infer" (forward) or "matrix" (a product). threads: of training and
    inference; the product has one. width: multiplies the channels.
    """
    engine: str
    kind: str
    network: str
    batch: int
    side: int
    threads: int
    width: float = 1.0


def serve(connection: Connection, task: Task) -> None:
    """Sends the engine's version; then, for every number of steps received, (seconds, processor seconds) of a step."""
    peers = {"torch": _torch, "tensorflow": _tensorflow, "onnxruntime": _onnxruntime, "openvino": _openvino}
    version, step = peers.get(task.engine, _ours)(task)
    connection.send(version)
    while (steps := connection.recv()) is not None:
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            step()
        connection.send(((time.perf_counter() - wall) / steps, (time.process_time() - processor) / steps))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    connection.send(peak if sys.platform == "darwin" else peak * 1024)


def _ours(task: Task) -> tuple[str, Step]:
    import cases
    import numpy as np
    from threadpoolctl import threadpool_limits

    from engine.kernels.cpu import keep_freed_memory, use_threads
    from engine.layer import Run
    from engine.optimizers import Adam
    from engine.prepared import prepared
    from engine.training import gradients

    version = f"NumPy {np.__version__}"
    if task.kind == "matrix":
        threadpool_limits(1)
        a = np.random.default_rng(0).random((MATRIX, MATRIX), dtype=np.float32)
        return version, lambda: a @ a
    keep_freed_memory()
    use_threads(task.threads)
    case = cases.make_case(task.network, task.batch, task.side, task.width, recompute=task.engine == "recomputing")
    if task.kind == "infer":
        ready = prepared(case.network) if task.engine == "prepared" else nullcontext(case.network)
        network = ready.__enter__()  # until the process ends
        return version, lambda ready=ready: network.forward(case.x, Run(train=False, record=False))
    adam = Adam(case.network.parameters())

    def step() -> None:
        _, grads = gradients(case.network, case.loss, case.x, case.target, Run(seed=(0, adam.steps)))
        adam.step(grads, LEARNING_RATE)
        case.network.absorb(grads)

    return version, step


def _torch(task: Task) -> tuple[str, Step]:
    import cases
    import torch
    import torch_networks

    torch.set_num_threads(1 if task.kind == "matrix" else task.threads)
    version = f"PyTorch {torch.__version__}"
    if task.kind == "matrix":
        a = torch.rand((MATRIX, MATRIX))
        return version, lambda: a @ a
    case = cases.make_case(task.network, task.batch, task.side, task.width)
    network = torch_networks.twin(task.network, case.network, task.side, task.width)
    x, target = torch_networks.image(case.x), torch_networks.image(case.target.astype("float32"))
    loss = torch_networks.loss(task.network)
    del case  # its weights were copied
    if task.kind == "infer":
        network.eval()

        def infer() -> None:
            with torch.inference_mode():
                network(x)

        return version, infer
    adam = torch.optim.Adam(network.parameters(), LEARNING_RATE, fused=True)

    def step() -> None:
        adam.zero_grad()
        loss(network(x), target).backward()
        adam.step()

    return version, step


def _tensorflow(task: Task) -> tuple[str, Step]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import cases
    import tensorflow as tf

    threads = 1 if task.kind == "matrix" else task.threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    version = f"TensorFlow {tf.__version__}"
    if task.kind == "matrix":
        a = tf.random.uniform((MATRIX, MATRIX))
        return version, lambda: tf.matmul(a, a)
    import tensorflow_networks

    case = cases.make_case(task.network, task.batch, task.side, task.width)
    network = tensorflow_networks.twin(task.network, case.network, task.side, task.width)
    x, target = tensorflow_networks.tensor(case.x), tensorflow_networks.tensor(case.target)
    loss = tensorflow_networks.loss(task.network)
    del case  # its weights were copied
    if task.kind == "infer":
        infer = tf.function(lambda: network(x, training=False))
        return version, lambda: infer().numpy()
    adam = tf.keras.optimizers.Adam(LEARNING_RATE)
    adam.build(network.trainable_variables)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            value = loss(network(x, training=True), target)
        adam.apply_gradients(zip(tape.gradient(value, network.trainable_variables), network.trainable_variables,
                                 strict=True))
        return value

    return version, lambda: step().numpy()


def _exported(task: Task) -> tuple[bytes, Any]:
    """The ONNX file of the network, and a batch."""
    import cases

    from engine.onnx import export

    case = cases.make_case(task.network, task.batch, task.side, task.width)
    return export(case.network, case.x.shape[1:]).SerializeToString(), case.x


def _onnxruntime(task: Task) -> tuple[str, Step]:
    import onnxruntime

    model, x = _exported(task)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task.threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return f"onnxruntime {onnxruntime.__version__}", lambda: session.run(None, {"x": x})


def _openvino(task: Task) -> tuple[str, Step]:
    import openvino

    model, x = _exported(task)
    network = openvino.Core().read_model(model)
    network.reshape(x.shape)  # it plans better for a batch whose size it knows
    compiled = openvino.compile_model(network, "CPU", {
        "INFERENCE_NUM_THREADS": task.threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    return f"OpenVINO {openvino.__version__.split('-')[0]}", lambda: compiled(x)
