"""Layers made of layers. Each hands the layers inside it a seed of their own, and their gradients the path to them.

    Chain                 one layer after the other
    Fork, Merge, Skip     a shortcut around layers, and where it comes back
    Recompute             a Chain that keeps only its input, and walks through its layers again in backward
    SlicedRecompute       the same, a few images at a time
    SlicedStage           the same for convolutions with batch norm and pooling behind them
"""
from engine.combinators.chain import Chain
from engine.combinators.recompute import Recompute, SlicedRecompute
from engine.combinators.shortcut import Fork, Merge, Skip
from engine.combinators.stage import SlicedStage

__all__ = ["Chain", "Fork", "Merge", "Recompute", "Skip", "SlicedRecompute", "SlicedStage"]
