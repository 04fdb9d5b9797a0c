"""What one forward pass computes, in closed form."""

from __future__ import annotations

from hyperbudget.budget.recurrent import recurrent_flops
from hyperbudget.nn.spec import ConvNet, LanguageModel, Mlp, ModelSpec, Residual


def forward_flops(spec: ModelSpec, **shape: int) -> int:
    """Floating-point operations of `spec` for one image, or for one symbol of a text, of data of this shape.

    A multiplication and an addition each count as one, in products alone. What generates kernels is left out: it comes
    once a batch; what generates the weights of a recurrent step is not.
    """
    if isinstance(spec.network, LanguageModel):
        network, symbols = spec.network, shape["symbols"]
        return recurrent_flops(
            spec.cell, inputs=symbols, hidden_size=network.hidden_size, num_layers=network.num_layers, outputs=symbols
        )
    return _image_flops(spec.network, **shape)


def _image_flops(network: ConvNet | Mlp | Residual, channels: int, size: int, classes: int) -> int:
    """Of one image of shape (channels, size, size).

    A multiplication and an addition each count as one, in convolutions and the head; biases, norms, relus and pooling
    are left out (below 2% together). So is what generates the kernels: it comes once a batch, not once an image.
    """
    match network:
        case ConvNet(width=width, kernel_size=kernel):
            stem = channels * kernel**2 * width * size**2
            pooled, features = -(-size // 2), width * (-(-size // 4)) ** 2
            return 2 * (stem + width**2 * kernel**2 * pooled**2 + features * classes)
        case Mlp(hidden=hidden):
            return 2 * hidden * (channels * size**2 + classes)
        case Residual():
            total = 9 * channels * network.stem_width * size**2 + network.widths[-1] * classes
            group_of = {width: group for group, width in enumerate(network.widths)}
            for shape in network.kernel_shapes() + network.projections():
                total += shape.weights * (-(-size // 2 ** group_of[shape.out_channels])) ** 2
            return 2 * total
