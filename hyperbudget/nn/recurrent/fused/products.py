"""Matrix products in a loop over time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FEW = 4
"""Products below which it does not pay to pack their weight."""

ROWS = 800
"""Samples times steps that are gathered for one product of the gradient of a weight: as efficient as all at once."""


def each(tensor: Tensor) -> Tensor:
    """Matrices of shape (..., rows, columns), as `torch.bmm` takes them: shape (matrices, rows, columns)."""
    return tensor.flatten(0, -3)


def steps_at_once(batch: int) -> int:
    """How many steps are gathered for one product of the gradient of a weight."""
    return max(1, ROWS // batch)


def packs(weight: Tensor, products: int) -> bool:
    """Whether a weight is packed for oneDNN when so many tensors are multiplied with it.

    On x86 processors: in float32 oneDNN's products take about half the time of MKL's where MKL does not know the
    processor, as with AMD's. They have no gradients of their own, so their place is inside a function of autograd.
    """
    if products < FEW or weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.bfloat16):
        return False
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and torch.backends.cpu.get_cpu_capability().startswith("AVX")


class Product:
    """``W x + b`` for one weight and one x after the other, shape (batch, inputs); without gradients.

    weight: shape (outputs, inputs); bias: shape (outputs,); dtype: of x and of the products; times: how many there are.
    In a pack, runs stand before all.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, dtype: torch.dtype, times: int) -> None:
        weight = weight.to(dtype)
        self.packed = weight.dim() == 2 and packs(weight, times)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight) if self.packed else weight
        self.bias = None if bias is None else bias.to(dtype)

    def __call__(self, x: Tensor) -> Tensor:
        if self.weight.dim() == 3:
            turned = self.weight.mT
            return torch.bmm(x, turned) if self.bias is None else torch.baddbmm(self.bias.unsqueeze(1), x, turned)
        if not self.packed:
            return F.linear(x, self.weight, self.bias)
        product: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, "none", [], "")
        return product


def weight_gradient(weight: Tensor, grad: Tensor, x: Tensor) -> Tensor:
    """The gradient of W, of its shape (outputs, inputs) and its type, from `grad`, that of all ``W x``.

    grad, x: shape (steps, batch, outputs) and (steps, batch, inputs). In a pack, runs stand before outputs, and in grad
    and x before the batch.
    """
    if weight.dim() == 3:
        grad, x = (tensor.transpose(0, 1).flatten(1, 2) for tensor in (grad, x))
        return torch.bmm(grad.mT, x)
    grad, x = grad.flatten(0, 1), x.flatten(0, 1)
    if grad.dtype != torch.float32 or not packs(weight, FEW):
        return (grad.T @ x).to(weight.dtype)
    gradient: Tensor
    gradient, _ = torch.ops.aten.mkldnn_linear_backward_weights(grad.to_mkldnn(), x.to_mkldnn(), weight, False)
    return gradient
