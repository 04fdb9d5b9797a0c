"""LSTM and HyperLSTM with a backward pass written by hand: the numbers of the plain loop in less time and memory.

In a plain loop autograd sees one step at a time. For a window as a whole the gradient of a weight is a product over
many steps, weights are packed once for all products, and nothing is kept twice.

A window is a class that is given its inputs and a tape; ``hyper_window.py`` and ``lstm_window.py`` have it in PyTorch,
for every machine, and ``native/`` with C++ for CPUs.
"""

from hyperbudget.nn.recurrent.fused.function import hyper_lstm, lstm
from hyperbudget.nn.recurrent.fused.paths import NATIVE, PYTORCH, path_for
from hyperbudget.nn.recurrent.fused.switch import by, plain_loops, usable

__all__ = ["NATIVE", "PYTORCH", "by", "hyper_lstm", "lstm", "path_for", "plain_loops", "usable"]
