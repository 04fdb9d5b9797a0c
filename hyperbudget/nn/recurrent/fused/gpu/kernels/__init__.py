"""The kernels, in Triton, which is imported with them and only then.

A program, of a few warps, computes one row, the numbers of one sample; a row lies in one piece of memory, gate after
gate. Sizes are constants of a compiled kernel, so that it loads and stores four numbers at once where they allow it.
"""

from hyperbudget.nn.recurrent.fused.gpu.kernels.maths import try_out
from hyperbudget.nn.recurrent.fused.gpu.kernels.plain import plain_backward, plain_forward
from hyperbudget.nn.recurrent.fused.gpu.kernels.scaled import scaled_backward, scaled_forward
from hyperbudget.nn.recurrent.fused.gpu.kernels.scaling import scaling_gradient

__all__ = [
    "plain_backward",
    "plain_forward",
    "scaled_backward",
    "scaled_forward",
    "scaling_gradient",
    "try_out",
]
