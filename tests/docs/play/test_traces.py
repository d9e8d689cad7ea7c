"""docs/play/traces.js is what the engine computes."""
import json
import re

import numpy as np


def committed(play):
    text = (play / "traces.js").read_text(encoding="utf-8")
    return json.loads(re.search(r"const TRACES = (\{.*\});\n", text, re.DOTALL)[1])


def leaves(tree, path=()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, tree


def test_traces_are_what_the_engine_computes(play, writer):
    written, computed = dict(leaves(committed(play))), dict(leaves(writer.traces()))
    assert written.keys() == computed.keys()
    for path, value in computed.items():
        if isinstance(value, str):
            assert written[path] == value, path
        else:
            np.testing.assert_allclose(written[path], value, rtol=0, atol=1e-12, err_msg=str(path))


def test_the_mistake_can_be_seen_in_the_trace(writer):
    results = writer.traces()["convolution"]["results"]
    assert np.not_equal(results["dX"], results["dX not rotated"]).mean() > 0.5


def test_the_trace_of_pooling_has_ties(writer):
    x = np.array(writer.traces()["pooling"]["drawn"]["x"])
    windows = x.reshape(3, 2, 3, 2).swapaxes(1, 2).reshape(9, 4)
    assert np.count_nonzero((windows == windows.max(1, keepdims=True)).sum(1) > 1) >= 2
