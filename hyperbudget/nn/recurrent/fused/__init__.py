"""The HyperLSTM with a backward pass written by hand: the numbers of the plain loop in less time and memory.

In a plain loop autograd sees one step at a time. For a window as a whole the gradient of a weight is a product over
many steps, weights are packed once for all products, and nothing is kept twice.
"""

from hyperbudget.nn.recurrent.fused.function import hyper_lstm
from hyperbudget.nn.recurrent.fused.switch import plain_loops, usable

__all__ = ["hyper_lstm", "plain_loops", "usable"]
