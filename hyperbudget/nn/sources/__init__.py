"""Where convolution kernels come from: one module a family, all behind the interface `KernelSource`."""

from collections.abc import Sequence

from hyperbudget.nn.sources.base import KernelSource
from hyperbudget.nn.sources.coordinate import CoordinateKernels, CoordinateNetwork
from hyperbudget.nn.sources.dct import DctKernels
from hyperbudget.nn.sources.free import FreeKernels
from hyperbudget.nn.sources.hashed import HashedKernels
from hyperbudget.nn.sources.hyper import HyperKernels
from hyperbudget.nn.sources.low_rank import LowRankKernels
from hyperbudget.nn.sources.shared import SharedKernels
from hyperbudget.nn.spec import Coordinate, Dct, Free, Hashed, Hyper, Kernels, KernelShape, LowRank, Shared

__all__ = [
    "CoordinateKernels",
    "CoordinateNetwork",
    "DctKernels",
    "FreeKernels",
    "HashedKernels",
    "HyperKernels",
    "KernelSource",
    "LowRankKernels",
    "SharedKernels",
    "build_source",
]


def build_source(family: Kernels, shapes: Sequence[KernelShape]) -> KernelSource:
    """The kernel source of `family` for kernels of `shapes`. Raises SpecError when it cannot produce one of them."""
    family.check(list(shapes))
    match family:
        case Free():
            return FreeKernels(shapes)
        case Shared():
            return SharedKernels(shapes, family)
        case Hyper():
            return HyperKernels(shapes, family)
        case LowRank():
            return LowRankKernels(shapes, family)
        case Dct():
            return DctKernels(shapes, family)
        case Coordinate():
            return CoordinateKernels(shapes, family)
        case Hashed():
            return HashedKernels(shapes, family)
