"""`pydocs`: the text of Python's own ``help("topics")``, which every CPython has: nothing to download.

Its 0.5 MB differ between Python's versions; the digest says which text it was.
"""

from __future__ import annotations

from hyperbudget.errors import UserError


def read_pydocs() -> bytes:
    """The topics in the order of their names, a newline between two. Raises UserError for a Python without them."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise UserError(f"pydocs: this Python lacks pydoc_data ({error}); take another text, by text:PATH") from error
    return "\n".join(text for _, text in sorted(topics.items())).encode()
