"""A count of parameters as a table prints it."""

from __future__ import annotations


class PrintedCount:
    """What every row of a table can say of a count. A row gives `table`, `count` and `precision` (1: printed whole)."""

    table: str
    count: int
    precision: int

    @property
    def slug(self) -> str:
        """The table as a command names it: ``paper/table-2``, ``paper/appendix-a1``."""
        return "paper/" + self.table.lower().replace(" ", "-").replace(".", "")

    @property
    def printed(self) -> str:
        """The count as printed: ``12,544``, ``0.563M``."""
        return self.show(self.count)

    def rounded(self, count: int) -> int:
        """`count`, rounded half-up at the printed precision."""
        return (count + self.precision // 2) // self.precision * self.precision

    def agrees(self, count: int) -> bool:
        """Whether `count` is the printed one, as far as that was printed."""
        return self.rounded(count) == self.count

    def show(self, count: int) -> str:
        """`count` written as the table would print it."""
        if self.precision == 1:
            return f"{count:,}"
        return f"{self.rounded(count) / 1e6:.{7 - len(str(self.precision))}f}M"
