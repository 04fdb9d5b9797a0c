"""Reading files out of a ``.tar.gz`` without unpacking it: nothing is written, so no name in it can lead anywhere."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path

from hyperbudget.data.files import BadFileError, reading

CHUNK = 1 << 20  # bytes


def read_members(path: Path, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of each regular file of the archive `path` that `names` has, in the archive's order.

    Raises BadFileError when the archive cannot be read, is cut off or damaged, or lacks one of `names`: only after
    the last item is it known to be whole.
    """
    missing = set(names)
    with reading(path), gzip.open(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    file = archive.extractfile(member) if member.isreg() and name in missing else None
                    if file is not None:
                        missing.remove(name)
                        yield name, file.read()
        except tarfile.TarError as error:
            raise BadFileError(f"is damaged: {error}") from error
        while stream.read(CHUNK):  # gzip's checksum stands at the end
            pass
    if missing:
        raise BadFileError(f"lacks {', '.join(sorted(missing))}")
