"""pip install -e .            the engine, the networks and the experiments
pip install -e ".[test]"    and what the tests, linters and type checks need
pip install -e ".[cuda]"    and CuPy, for a CUDA 13 GPU
pip install -e ".[dicom]"   and pydicom, to read DICOM images
pip install -e ".[ddsm]"    and imagecodecs, to read DDSM's .LJPEG files
pip install -e ".[dask]"    and Dask, to train ROI detectors on a cluster (--scheduler)
"""
from setuptools import find_packages, setup

DICOM = ["pydicom>=3.0"]
DDSM = ["imagecodecs>=2024.9.22"]
DASK = ["dask[distributed]>=2024.8"]
TEST = ["pytest>=8", "hypothesis>=6", "array-api-strict>=2.3", "ruff>=0.8", "mypy>=1.13"]

setup(
    name="mammography-from-scratch",
    version="0.1.0",
    description="A deep-learning engine without autograd, and a thesis on mammogram classification built on it",
    python_requires=">=3.11",
    packages=find_packages(include=["engine*", "models*", "experiments*"]),
    package_data={"experiments.reporting": ["templates/*.jinja"]},
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
        "cuda": ["cupy-cuda13x>=14"],
        "dicom": DICOM,
        "ddsm": DDSM,
        "dask": DASK,
        "test": TEST + DICOM + DDSM + DASK,
    },
)
