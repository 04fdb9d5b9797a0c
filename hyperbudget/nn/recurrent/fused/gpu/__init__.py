"""Windows with all but their matrix products in kernels of Triton: for CUDA devices.

A step takes two launches for a cell, a product and a kernel, and allocates nothing, so that a window can be part of a
CUDA graph. Numbers do not depend on the order in which programs run: there are no atomic additions.
"""

from hyperbudget.nn.recurrent.fused.gpu.device import available, mixes
from hyperbudget.nn.recurrent.fused.gpu.hyper_window import HyperWindow
from hyperbudget.nn.recurrent.fused.gpu.lstm_window import LstmWindow

__all__ = ["HyperWindow", "LstmWindow", "available", "mixes"]
