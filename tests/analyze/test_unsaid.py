"""What a report cannot say is said."""

import pytest

from hyperbudget.analyze import analyze
from tests.report.frames import demo, frame, row


def unsaid(rows):
    return " | ".join(analyze(frame(rows)).unsaid)


@pytest.mark.parametrize("rows", [[], [row("free", 9, 0, None, status="failed", reason="x")]])
def test_nothing_finished(rows):
    assert unsaid(rows) == "anything about quality, fronts, budgets or axes: no run has a result"


def test_one_run():
    said = unsaid([row("free", 900, 0, 0.05)])
    for expected in ("how far a repetition", "which family is better", "what a quality takes", "what a doubling",
                     "what an axis buys", "which axes decide", "converged", "selection flatters"):  # fmt: skip
        assert expected in said, expected


def test_a_whole_study_says_all():
    assert analyze(demo()).unsaid == []


def test_seeds_and_families():
    rows = [row(family, 900, seed, 0.05 + seed / 1000) for family in ("free", "hyper") for seed in range(2)]
    assert "repetition" not in unsaid(rows)
    assert "which family" not in unsaid(rows)
    assert "what a doubling" in unsaid(rows)


def test_a_single_seed_beside_others_is_no_silence():
    rows = [row("free", 900, seed, 0.05) for seed in range(3)] + [row("free", 950, 0, 0.04)]
    assert "repetition" not in unsaid(rows)
