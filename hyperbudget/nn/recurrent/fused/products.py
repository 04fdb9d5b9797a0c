"""Matrix products in a loop over time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FEW = 4
"""Products below which it does not pay to pack their weight."""


def packs(like: Tensor, products: int) -> bool:
    """Whether a weight is packed for oneDNN when so many tensors like this one are multiplied with it.

    On x86 processors in float32: oneDNN's products take about half the time of MKL's where MKL does not know the
    processor, as with AMD's. They have no gradients of their own, so their place is inside a function of autograd.
    """
    if products < FEW or like.device.type != "cpu" or like.dtype != torch.float32:
        return False
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and torch.backends.cpu.get_cpu_capability().startswith("AVX")


class Product:
    """``W x + b`` for one weight and one x after the other, shape (batch, inputs); without gradients.

    weight: shape (outputs, inputs); bias: shape (outputs,).
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, packed: bool) -> None:
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight) if packed else weight
        self.bias, self.packed = bias, packed

    def __call__(self, x: Tensor) -> Tensor:
        if not self.packed:
            return F.linear(x, self.weight, self.bias)
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return product


def weight_gradient(weight: Tensor, grad: Tensor, x: Tensor, *, packed: bool) -> Tensor:
    """The gradient of W, of its shape (outputs, inputs), from `grad`, that of all ``W x``.

    grad, x: shape (steps, batch, outputs) and (steps, batch, inputs).
    """
    grad, x = grad.flatten(0, 1), x.flatten(0, 1)
    if not packed:
        return grad.T @ x
    gradient: Tensor
    gradient, _ = torch.ops.aten.mkldnn_linear_backward_weights(grad.to_mkldnn(), x.to_mkldnn(), weight, False)
    return gradient
