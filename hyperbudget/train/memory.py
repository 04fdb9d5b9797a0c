"""How a process that trains deals with memory."""

from __future__ import annotations

import ctypes
import gc
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 << 20
"""Bytes: the C library takes no more."""


def keep() -> None:
    """What this process has now and will have stays with it: call it when all is imported, before training.

    A step of training needs the same memory as the one before. Given back in between, it comes anew page by page, each
    cleared by the system: of a step of a small recurrent network that was a tenth. Another tenth was the search for
    garbage among the libraries' own objects, hundreds of thousands. The first is only where the C library is glibc.
    """
    gc.freeze()
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
