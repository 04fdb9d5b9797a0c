"""The fields of every main network, and the kernels that it needs. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from hyperbudget.nn.fields import KernelShape, SpecError, option

Shape = Mapping[str, int]
"""What a network must know of its data: of images ``channels``, ``size`` (height and width) and ``classes``, of a text
``symbols``."""


class ImageNetwork:
    """What the networks of image classifiers have in common: they list the kernels that they need."""

    name: ClassVar[str]

    def kernel_shapes(self) -> list[KernelShape]:
        """In the order of the data's way through the network."""
        raise NotImplementedError

    def check(self, shape: Shape, what: str = "the data") -> None:
        """Raise SpecError unless the network is for data of this shape; `what` names them."""
        if "channels" not in shape:
            raise SpecError("network", f"{self.name} takes images, and {what} is a text; take language_model")


@dataclass(frozen=True)
class ConvNet(ImageNetwork):
    """The paper's small MNIST network (section 4.1, A.3.1): two convolutions with max pooling, and a linear head.

    The second convolution's kernel comes from the kernel source; the first one is the stem.
    """

    name: ClassVar[str] = "convnet"
    width: int = option(16, "filters of both convolutions", ge=1)
    kernel_size: int = option(7, "height and width of both kernels; odd", ge=1)

    def __post_init__(self) -> None:
        if self.kernel_size % 2 == 0:
            raise SpecError("kernel_size", f"{self.kernel_size} is even; an odd size keeps the image centred")

    def kernel_shapes(self) -> list[KernelShape]:
        return [KernelShape(self.width, self.width, self.kernel_size, self.kernel_size)]


@dataclass(frozen=True)
class Mlp(ImageNetwork):
    """The paper's fully connected MNIST network, 784-256-10 (Appendix A.1): a hidden layer and a linear head.

    A linear layer is a convolution whose kernel is as large as the image: the hidden layer's matrix is the one kernel
    from the kernel source. Its shape must be known without a task, so the size of the images is part of the network.
    """

    name: ClassVar[str] = "mlp"
    hidden: int = option(256, "units of the hidden layer", ge=1)
    image_size: int = option(28, "height and width of the images; the task's", ge=1)
    image_channels: int = option(1, "channels of the images; the task's", ge=1)

    def kernel_shapes(self) -> list[KernelShape]:
        return [KernelShape(self.hidden, self.image_channels, self.image_size, self.image_size)]

    def check(self, shape: Shape, what: str = "the data") -> None:
        """See `ImageNetwork.check`: the images must have the network's size and channels."""
        super().check(shape, what)
        for field, own, theirs in (
            ("image_size", self.image_size, shape["size"]),
            ("image_channels", self.image_channels, shape["channels"]),
        ):
            if own != theirs:
                raise SpecError(field, f"{own} is not the {theirs} of the images of {what}")


class Residual(ImageNetwork):
    """What residual networks of 3 x 3 kernels have in common: groups of `blocks` blocks of two convolutions each.

    A subclass gives the channels of its stem and of its groups, and says which parameters there are besides. Each
    group after the first halves the image; a block whose channels change has its shortcut zero-padded or projected.
    """

    @property
    def stem_width(self) -> int:
        """Channels after the stem."""
        raise NotImplementedError

    @property
    def widths(self) -> list[int]:
        """Channels of each group."""
        raise NotImplementedError

    @property
    def blocks(self) -> int:
        """Residual blocks in each group."""
        raise NotImplementedError

    @property
    def conv_bias(self) -> bool:
        """Whether the convolutions have biases."""
        return False

    @property
    def stem_norm(self) -> bool:
        """Whether a norm follows the stem."""
        return False

    @property
    def projected(self) -> bool:
        """Whether shortcuts between different channels are 1 x 1 convolutions; else zero channels are added."""
        return False

    def kernel_shapes(self) -> list[KernelShape]:
        shapes = []
        channels = self.stem_width
        for width in self.widths:
            for _ in range(self.blocks):
                shapes += [KernelShape(width, channels, 3, 3), KernelShape(width, width, 3, 3)]
                channels = width
        return shapes

    def projections(self) -> list[KernelShape]:
        """The kernels of the shortcuts; learnt directly, whatever the family."""
        if not self.projected:
            return []
        ends = zip([self.stem_width, *self.widths], self.widths, strict=False)
        return [KernelShape(width, channels, 1, 1) for channels, width in ends if channels != width]


@dataclass(frozen=True)
class ResNet(Residual):
    """A pre-activation residual network of 3 x 3 kernels (He et al. 2016b), in groups of doubling width.

    Each group after the first halves the image and doubles the channels; shortcuts are zero-padded and own no
    parameters, as in the paper's accounting of Wide ResNets.
    """

    name: ClassVar[str] = "resnet"
    depth: int = option(2, "3 x 3 convolutions after the stem: two a block, the same number in every group", ge=2)
    width: int = option(16, "channels of the first group", ge=1)
    groups: int = option(1, "groups of blocks; each one after the first halves the image and doubles the width", ge=1)

    def __post_init__(self) -> None:
        if self.depth % (2 * self.groups):
            raise SpecError("depth", f"{self.depth} is not a multiple of 2 x groups = {2 * self.groups}")

    @property
    def stem_width(self) -> int:
        return self.width

    @property
    def widths(self) -> list[int]:
        return [self.width * 2**group for group in range(self.groups)]

    @property
    def blocks(self) -> int:
        return self.depth // (2 * self.groups)


@dataclass(frozen=True)
class WideResNet(Residual):
    """WRN-d-k (Zagoruyko & Komodakis 2016; Table 1 of the paper): a stem of 16 channels, three groups of 16k, 32k, 64k.

    Accounting `paper` reproduces the four counts of the paper's Table 2: zero-padded shortcuts, a bias on every
    convolution, a norm after the stem. `standard` is what the code of Wide ResNets does: 1 x 1 shortcuts, no
    convolution bias, no norm between the stem and the first block.
    """

    name: ClassVar[str] = "wrn"
    depth: int = option(10, "d = 6N + 4: N blocks of two convolutions in each of the three groups", ge=10)
    width: int = option(1, "k: the groups have 16k, 32k and 64k channels", ge=1)
    accounting: Literal["paper", "standard"] = option(
        "paper", "zero-padded shortcuts, biases and a norm after the stem (paper), or 1 x 1 shortcuts alone (standard)"
    )

    def __post_init__(self) -> None:
        if self.depth % 6 != 4:
            below = self.depth - (self.depth - 4) % 6
            raise SpecError("depth", f"{self.depth} is not 6N + 4; the nearest are {below} and {below + 6}")

    @property
    def stem_width(self) -> int:
        return 16

    @property
    def widths(self) -> list[int]:
        return [16 * self.width, 32 * self.width, 64 * self.width]

    @property
    def blocks(self) -> int:
        return (self.depth - 4) // 6

    @property
    def conv_bias(self) -> bool:
        return self.accounting == "paper"

    @property
    def stem_norm(self) -> bool:
        return self.accounting == "paper"

    @property
    def projected(self) -> bool:
        return self.accounting == "standard"


@dataclass(frozen=True)
class LanguageModel:
    """Layers of recurrent cells on the symbols of a text, one-hot, and a linear head with softmax (section 4.3, A.3.3).

    Its family is that of its cells. Dropout is by shares that training drops; `recurrent_dropout` is without memory
    loss (Semeniuta et al. 2016): on what a step adds to c, never on what c remembers.
    """

    name: ClassVar[str] = "language_model"
    hidden_size: int = option(256, "units of each layer", ge=1)
    num_layers: int = option(1, "layers, each on the outputs of the one below", ge=1)
    input_dropout: float = option(0.0, "share of the inputs that training drops", ge=0, le=0.95)
    recurrent_dropout: float = option(0.0, "share of each step's candidates for c that training drops", ge=0, le=0.95)
    output_dropout: float = option(0.0, "share of the last layer's outputs that training drops", ge=0, le=0.95)

    def check(self, shape: Shape, what: str = "the data") -> None:
        """Raise SpecError unless the data are a text; `what` names them."""
        if "symbols" not in shape:
            raise SpecError("network", f"{self.name} takes a text, and {what} is images; take {', '.join(IMAGES)}")


Network = ConvNet | Mlp | ResNet | WideResNet | LanguageModel

NETWORKS: dict[str, type[Network]] = {cls.name: cls for cls in (ConvNet, Mlp, ResNet, WideResNet, LanguageModel)}
IMAGES = [name for name, network in NETWORKS.items() if issubclass(network, ImageNetwork)]
"""Names of the networks for images."""
