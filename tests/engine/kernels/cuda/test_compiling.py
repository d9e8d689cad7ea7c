"""Every instance of every kernel compiled by NVRTC for three generations of GPUs: no spills, few enough registers.

NVRTC needs no GPU and no driver, only the wheels: pip install cupy-cuda13x and, at CUDA 13.0, nvidia-cuda-nvrtc,
nvidia-cuda-runtime and nvidia-cuda-crt.
"""
import re
from pathlib import Path

import pytest

from engine.kernels.cuda.on_device import OPTIONS, source
from engine.kernels.cuda.signatures import files, parse, text_of

GENERATIONS = ["sm_80", "sm_90", "sm_100"]
TEXTS = {file: text_of(file) for file in files()} | {
    "proving": (Path(__file__).parent / "proving.cu").read_text("utf-8")}
ALWAYS = ("-ftz=true",)  # what CuPy adds
USED = re.compile(r"Compiling entry function '(?P<name>\w+)'.*?(?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes"
                  r" spill loads.*?Used (?P<registers>\d+) registers", re.DOTALL)


@pytest.fixture(scope="module")
def nvrtc():
    """CuPy's binding of the compiler."""
    found = pytest.importorskip("cupy.cuda", reason="needs the wheels of CuPy and NVRTC, but no GPU").nvrtc
    try:
        found.getVersion()
    except RuntimeError as error:
        pytest.skip(f"needs the wheel nvidia-cuda-nvrtc: {error}")
    return found


def compiled(nvrtc, text, file, generation):
    """(spilled bytes, registers) of every instance. Raises RuntimeError with the compiler's log."""
    program = nvrtc.createProgram(source(text, file), f"{file}.cu", (), ())
    try:
        instances = parse(text, file)
        for instance in instances:
            nvrtc.addNameExpression(program, instance)
        options = (*OPTIONS, *ALWAYS, f"--gpu-architecture={generation}", "--ptxas-options=-v")
        try:
            nvrtc.compileProgram(program, options)
        except nvrtc.NVRTCError:
            raise RuntimeError(nvrtc.getProgramLog(program)) from None
        used = {found["name"]: (int(found["stores"]) + int(found["loads"]), int(found["registers"]))
                for found in USED.finditer(nvrtc.getProgramLog(program))}
        return {instance: used[nvrtc.getLoweredName(program, instance)] for instance in instances}
    finally:
        nvrtc.destroyProgram(program)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("file", TEXTS)
def test_every_instance_compiles_by_nvrtc_without_spills(file, generation, nvrtc):
    used, allowed = compiled(nvrtc, TEXTS[file], file, generation), parse(TEXTS[file], file)
    assert used.keys() == allowed.keys()
    for instance, (spilled, registers) in used.items():
        assert not spilled, f"{file}.{instance} spills {spilled} bytes"
        assert registers <= allowed[instance].registers, f"{file}.{instance} takes {registers} registers"


def test_what_spills_is_noticed_as_it_compiles_by_nvrtc(nvrtc):
    text = """template <int N> __global__ void __launch_bounds__(1024, 2) many(const float* x, float* y) {
        float v[N];
        for (int i = 0; i < N; i++) v[i] = x[i * N + threadIdx.x];
        __syncthreads();
        for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) v[i] = fmaf(v[j], v[i], 1.f);
        for (int i = 0; i < N; i++) y[i * N + threadIdx.x] = v[i];
    }
    """ + "\nINSTANTIATE(many<96>)  // registers: 32\n"
    (spilled, registers), = compiled(nvrtc, text, "many", "sm_90").values()
    assert spilled > 0 and registers == 32


def test_a_wrong_line_is_named_as_it_compiles_by_nvrtc(nvrtc):
    text = TEXTS["activations"].replace("o[i] = a[i]", "o[i] = b[i]")
    with pytest.raises(RuntimeError, match=r'activations.cu\(5\): error: identifier "b" is undefined'):
        compiled(nvrtc, text, "activations", "sm_90")
