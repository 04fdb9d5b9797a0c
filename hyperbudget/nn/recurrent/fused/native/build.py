"""Compiles ``cells.cpp`` for this machine, once.

Not by torch.utils.cpp_extension: a process that is killed while that builds leaves a lock which every other then waits
for, and what it builds is bound to one version of torch. A file that appears whole or not at all needs no lock.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "cells.cpp"
# Sums may be taken in any order; but unlike -ffast-math, these leave infinities and NaN what they are.
FLAGS = (
    "-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-math-errno",
    "-fno-trapping-math", "-fno-signed-zeros", "-fassociative-math", "-ffp-contract=fast",
)  # fmt: skip
X86_FLAGS = ("-mprefer-vector-width=512",)
# Without the first, the last bits of a number would depend on where it happens to lie in memory. The second is for as
# many threads as torch has, whose library for them it takes; clang may have none.
GCC_FLAGS = ("--param=vect-max-peeling-for-alignment=0", "-fopenmp")
SECONDS = 120
"""What a compiler may take; it takes about four."""


def compiler() -> str | None:
    """The C++ compiler of this machine, ``CXX`` before others: the one that torch.compile calls, too."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", ""), "g++", "clang++"))), None)


def folder() -> Path:
    """Where compiled files lie: ``$XDG_CACHE_HOME/hyperbudget/native``, by default within ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyperbudget" / "native"


def built() -> Path | None:
    """The compiled file for this processor, this compiler and this source; compiled now if it is not there.

    None where there is no compiler, or where it fails.
    """
    command = compiler()
    if command is None:
        return None
    flags = FLAGS + (X86_FLAGS if platform.machine() in ("x86_64", "AMD64") else ())
    try:
        # All that the compiler predefines: its version, and what this processor is able to.
        macros = _run(command, *flags, "-dM", "-E", "-x", "c++", os.devnull)
        flags += () if b"__clang__" in macros else GCC_FLAGS
        sources = [path.read_bytes() for path in sorted([SOURCE, *FOLDER.glob("*.h")])]
        digest = hashlib.sha256(b"\0".join([*sources, " ".join(flags).encode(), macros]))
        path = folder() / f"cells-{digest.hexdigest()[:16]}.so"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=path.parent, suffix=".so", delete=False) as partial:
                pass
            try:
                _run(command, *flags, str(SOURCE), "-o", partial.name)
                os.replace(partial.name, path)
            finally:
                Path(partial.name).unlink(missing_ok=True)
    except (OSError, RuntimeError, subprocess.SubprocessError):
        return None
    return path


def _run(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS).stdout
