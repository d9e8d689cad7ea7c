"""How the companion is built:   python -m sphinx -W -b html docs build/site

Every code cell is run, and the build fails where one fails, where a reference is broken, where a number of an equation
of the thesis is used that no chapter states, and where a public name has no docstring. It reads and writes nothing on
the network.
"""
import os
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
for folder in (ROOT, DOCS, DOCS / "extensions"):
    sys.path.insert(0, str(folder))
# the cells run in processes of their own: the checkout's engine, and beside it the pages' own helpers
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(DOCS), os.environ.get("PYTHONPATH", "")])

from engine.version import __version__  # noqa: E402  (the checkout's, whatever else is installed)

project = "Mammograms from scratch"
author = "The authors of mammography-from-scratch"
copyright = author
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx-mathjax-offline", "collapsed", "equations", "docstrings"]
api_packages = ["engine", "models"]
api_aliases = {"Array": "engine.arrays.Array", "Grads": "engine.layer.Grads", "Loss": "engine.losses.pair.Loss"}
toc_object_entries = False
exclude_patterns = ["play", "companion", "extensions"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_merge_streams = True

html_theme = "furo"
html_title = project
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _copy_play)


def _copy_play(app: Sphinx, failure: Exception | None) -> None:
    """The page to play with is opened as it is; Sphinx has no part in it."""
    if failure is None and app.builder.format == "html" and (DOCS / "play").is_dir():
        shutil.copytree(DOCS / "play", Path(app.outdir) / "play", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.py", "__pycache__"))
