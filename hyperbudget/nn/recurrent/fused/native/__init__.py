"""Windows in C++: for CPUs, where there is a compiler."""

from hyperbudget.nn.recurrent.fused.native.hyper_window import HyperWindow
from hyperbudget.nn.recurrent.fused.native.library import available, mixes
from hyperbudget.nn.recurrent.fused.native.lstm_window import LstmWindow

__all__ = ["HyperWindow", "LstmWindow", "available", "mixes"]
