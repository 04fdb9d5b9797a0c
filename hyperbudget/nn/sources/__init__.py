"""Where convolution kernels come from: one module a family, all behind the interface `KernelSource`."""

from collections.abc import Sequence

from hyperbudget.nn.sources.base import KernelSource
from hyperbudget.nn.sources.free import FreeKernels
from hyperbudget.nn.sources.hyper import HyperKernels
from hyperbudget.nn.sources.shared import SharedKernels
from hyperbudget.nn.spec import Family, Free, Hyper, KernelShape, Shared

__all__ = ["FreeKernels", "HyperKernels", "KernelSource", "SharedKernels", "build_source"]


def build_source(family: Family, shapes: Sequence[KernelShape]) -> KernelSource:
    """The kernel source of `family` for kernels of `shapes`. Raises SpecError when it cannot produce one of them."""
    family.check(list(shapes))
    match family:
        case Free():
            return FreeKernels(shapes)
        case Shared():
            return SharedKernels(shapes)
        case Hyper():
            return HyperKernels(shapes, family)
