"""LSTM and HyperLSTM with a backward pass written by hand: the numbers of the plain loop in less time and memory.

In a plain loop autograd sees one step at a time. For a window as a whole the gradient of a weight is a product over
many steps, weights are packed once for all products, and nothing is kept twice.

A window is a class that is given its inputs and a tape; ``hyper_window.py`` and ``lstm_window.py`` have it in PyTorch,
for every machine, ``native/`` with C++ for CPUs, and ``gpu/`` with Triton for CUDA devices.
"""

from hyperbudget.nn.recurrent.fused.function import hyper_lstm, lstm, token_ids
from hyperbudget.nn.recurrent.fused.linear import linear
from hyperbudget.nn.recurrent.fused.paths import GPU, NATIVE, PYTORCH, path_for
from hyperbudget.nn.recurrent.fused.switch import by, packed, plain_loops, usable

__all__ = [
    "GPU",
    "NATIVE",
    "PYTORCH",
    "by",
    "hyper_lstm",
    "linear",
    "lstm",
    "packed",
    "path_for",
    "plain_loops",
    "token_ids",
    "usable",
]
