import pytest

from hyperbudget.budget.quantity import parse_count, parse_duration, parse_share, show_duration


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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30min", 1800), ("1.5h", 5400), ("2 d", 172_800), ("1h30min", 5400), (" 1H 30 MIN ", 5400),
     ("0s", None), ("30", None), ("min", None), ("-5s", None), ("30 mins", None), ("1h30", None), ("", None)],
)  # fmt: skip
def test_durations(text, seconds):
    if seconds is None:
        with pytest.raises(ValueError):
            parse_duration(text)
    else:
        assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"), [(1800, "30 min"), (5400, "90 min"), (7200, "2 h"), (90, "90 s"), (0.5, "0.5 s")]
)
def test_durations_are_shown_in_their_largest_whole_unit(seconds, text):
    assert show_duration(seconds) == text
