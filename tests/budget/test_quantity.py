import pytest

from hyperbudget.budget.quantity import parse_count, parse_share


@pytest.mark.parametrize(
    ("text", "count"),
    [("100k", 100_000), ("1.5M", 1_500_000), ("97,000", 97_000), ("2e5", 200_000), ("0.563m", 563_000), (" 7 ", 7),
     ("1_000", 1000), ("1G", 10**9), ("0.0015k", None), ("0", None), ("-5", None), ("k", None), ("1.5", None),
     ("ten", None), ("1kk", None), ("", None), ("1e999", None), ("nan", None)],
)  # fmt: skip
def test_counts(text, count):
    if count is None:
        with pytest.raises(ValueError):
            parse_count(text)
    else:
        assert parse_count(text) == count


@pytest.mark.parametrize(
    ("text", "share"),
    [("2%", 0.02), ("0.02", 0.02), (".5 %", 0.005), ("0", 0.0), ("0%", 0.0), ("100%", None), ("2", None),
     ("-1%", None), ("few", None), ("%", None)],
)  # fmt: skip
def test_shares(text, share):
    if share is None:
        with pytest.raises(ValueError):
            parse_share(text)
    else:
        assert parse_share(text) == pytest.approx(share)
