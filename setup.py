"""pip install -e .            the engine, the networks and the experiments
pip install -e ".[test]"    and what the tests, linters and type checks need
pip install -e ".[cuda13]"  and CuPy with CUDA 13's libraries, for a GPU whose driver is 580 or later
pip install -e ".[cuda12]"  the same of CUDA 12, for a driver of 525 or later
pip install -e ".[dicom]"   and pydicom, highdicom, imagecodecs, to read DICOM images and write results as DICOM objects
pip install -e ".[ddsm]"    and imagecodecs, to read DDSM's .LJPEG files
pip install -e ".[docs]"    and Sphinx with what it needs, to build the companion (docs/)
pip install -e ".[mpi]"     and mpi4py with MPICH, to train with several processes (mpiexec)
pip install -e ".[onnx]"    and onnx with onnxruntime, to export networks
pip install -e ".[dask]"    and Dask, to prepare images and train ROI detectors on a cluster (--scheduler)
pip install -e ".[xlsx]"    and openpyxl, to read tables in .xlsx files (CDD-CESM, CMMD)
"""
import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION, = re.findall(r'^__version__ = "(.+)"$', (ROOT / "engine" / "version.py").read_text("utf-8"), re.MULTILINE)
PACKAGES = ("engine", "models", "experiments", "exercises")

DDSM = ["imagecodecs>=2024.9.22"]
DICOM = ["pydicom>=3.0", "highdicom>=0.28", *DDSM]  # JPEG without loss and HTJ2K: imagecodecs decodes them
DASK = ["dask[distributed]>=2024.8"]
MPI = ["mpi4py>=4", "mpich>=4.2"]  # mpich: an MPI as a wheel, mpiexec with it
ONNX = ["onnx>=1.17", "onnxruntime>=1.20"]
XLSX = ["openpyxl>=3.1"]
DOCS = ["sphinx>=8.1", "myst-nb>=1.2", "furo>=2024.8.6", "sphinx-mathjax-offline>=0.0.2"]
TEST = ["pytest>=8", "hypothesis>=6", "array-api-strict>=2.3", "ruff>=0.8", "mypy>=1.13", "setuptools>=77",
        "playwright>=1.49", "tensorboard>=2.17"]

setup(
    name="mammography-from-scratch",
    version=VERSION,
    description="A deep-learning engine without autograd, and a thesis on mammogram classification built on it",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    author="The authors of mammography-from-scratch",
    license_expression="MIT",
    license_files=["LICENSE"],
    keywords=["deep learning", "backpropagation", "gradient checking", "numpy", "mammography", "breast cancer",
              "image classification", "image segmentation"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Topic :: Scientific/Engineering :: Medical Science Apps.",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=[*PACKAGES, *(f"{package}.*" for package in PACKAGES)]),
    package_data={**{package: ["py.typed"] for package in PACKAGES}, "experiments.reporting": ["templates/*.jinja"],
                  "engine.kernels.cuda": ["*.cu", "*.cuh"], "engine.kernels.cuda.on_cpu": ["*.h", "*.cpp"]},
    zip_safe=False,
    install_requires=[
        "numpy>=2.0",
        "scipy>=1.13",
        "scikit-image>=0.24",
        "array-api-compat>=1.9",
        "threadpoolctl>=3.5",
        "safetensors>=0.4.5",
        "msgspec>=0.19",
        "scikit-learn>=1.5",
        "matplotlib>=3.9",
        "pillow>=10",
        "tqdm>=4.66",
        "jinja2>=3.1",
    ],
    extras_require={
        "cuda12": ["cupy-cuda12x[ctk]>=14"],  # ctk: NVRTC and the other libraries as wheels, no toolkit to install
        "cuda13": ["cupy-cuda13x[ctk]>=14"],
        "dicom": DICOM,
        "ddsm": DDSM,
        "dask": DASK,
        "docs": DOCS,
        "xlsx": XLSX,
        "mpi": MPI,
        "onnx": ONNX,
        "test": TEST + DICOM + DDSM + DASK + DOCS + MPI + ONNX + XLSX,
    },
)
