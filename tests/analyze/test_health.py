"""Runs that a pruner stopped, and seeds that only the promoted got: no failures, and said beside the claims."""

import math

import pytest

from hyperbudget.analyze.summary import analyze
from tests.report.frames import frame, row

PRUNING = {"pruner": "median", "first": 1, "promote": 0.5}


def pruned(family, parameters, seed, **fields):
    return row(family, parameters, seed, None, status="pruned", reason="pruned at step 200", **fields)


def halving(**study):
    """Two configurations with three seeds, two with one, one whose only run was stopped."""
    rows = [row(family, 900, seed, 0.05 + seed / 1000) for family in ("free", "hyper") for seed in range(3)]
    rows += [row("free", 1_200, 0, 0.08), row("hyper", 1_300, 0, 0.09), pruned("hyper", 1_500, 0)]
    return frame(rows, **({"pruning": PRUNING} | study))


def said(made):
    return " ".join(analyze(made).health)


def test_pruned_runs_are_no_failures_and_in_no_comparison():
    found = analyze(halving())
    assert {c.parameters for c in found.configurations} == {900, 1_200, 1_300}
    assert all(c.failed == 0 and math.isfinite(c.test.mean) for c in found.configurations)
    health = said(halving())
    assert "failed" not in health
    assert "1 of 9 runs was stopped early by the pruner median: they have no result" in health
    assert "1 configuration was stopped before any seed finished and is absent" in health


def test_seeds_that_were_not_promoted_are_said_beside_the_claims():
    sentence = (
        "2 of 4 configurations have one seed, and no interval, by design: only the best 0.5 of them after that got the "
        "others. What was promoted was chosen by it, so its first seed may flatter it."
    )
    found = analyze(halving())
    assert sentence in found.health
    assert sentence in found.verdict.evidence
    assert "configurations of 4 ran with one seed" not in " ".join(found.health)


def test_several_first_seeds():
    rows = [row("free", 900 + size, seed, 0.05) for size in (0, 100) for seed in range(2 if size else 4)]
    found = analyze(frame(rows, pruning={"pruner": "none", "first": 2, "promote": 0.3}))
    assert "1 of 2 configurations have 2 seeds, and wide intervals, by design" in " ".join(found.health)


def test_all_promoted_or_no_promotion_is_nothing_special():
    assert "by design" not in said(halving(pruning={"pruner": "median", "first": 1, "promote": None}))
    assert "2 configurations of 4 ran with one seed: no interval for those." in said(halving(pruning=None))
    one = frame([row("free", 900, 0, 0.05), row("hyper", 950, 0, 0.06)], pruning=PRUNING)
    assert "One seed a configuration" in said(one)


def test_a_pruned_seed_beside_finished_ones():
    rows = [row("free", 900, seed, 0.05) for seed in range(2)] + [pruned("free", 900, 2)]
    found = analyze(frame(rows, pruning={"pruner": "wilcoxon", "first": 3, "promote": None}))
    assert [c.n for c in found.configurations] == [2]
    assert "1 of 3 runs was stopped early by the pruner wilcoxon" in " ".join(found.health)
    assert "absent" not in " ".join(found.health)


def test_all_pruned():
    found = analyze(frame([pruned("free", 900, seed) for seed in range(3)], pruning=PRUNING))
    assert found.configurations == []
    assert found.verdict.answer == ("None of 3 runs finished, so the question has no answer.",)
    assert "3 of 3 runs were stopped early" in " ".join(found.health)


def test_reasons_that_differ_in_a_number_are_one():
    reasons = ["diverged: training loss is nan at step 200", "diverged: training loss is nan at step 1,400", "killed"]
    rows = [row("free", 900, seed, None, status="failed", reason=reason) for seed, reason in enumerate(reasons)]
    assert "3 of 3 runs failed: diverged: training loss is nan at step … (2); killed (1)." in said(frame(rows))


def test_what_the_budget_refused_has_a_share():
    assert "The budget refused 6 of 8 configurations before training." in said(
        frame([row(family, 900, 0, 0.05) for family in ("free", "hyper")], refused=6)
    )


def test_configurations_that_failed_wholly_and_in_part():
    lost = {"status": "failed", "reason": "killed"}
    rows = [row("free", 900, seed, 0.05) for seed in range(2)] + [row("free", 900, 2, None, **lost)]
    rows += [row("hyper", 950, seed, None, **lost) for seed in range(3)]
    health = said(frame(rows))
    assert "4 of 6 runs failed: killed." in health
    assert "1 configuration is judged by the seeds that finished alone, which may flatter it." in health
    assert "1 configuration finished no run and is absent." in health


def test_runs_that_have_not_finished_are_in_nothing():
    """Neither counted as failed, nor measured by what they have so far."""
    rows = [row("free", 900, seed, 0.05) for seed in range(2)] + [row("free", 900, 2, 0.9, status="running")]
    (found,) = analyze(frame(rows)).configurations
    assert (found.n, found.failed, found.seeds) == (2, 0, (0, 1))
    assert found.test.high < 0.06


def test_errors_stand_in_the_order_of_the_seeds():
    rows = [row("free", 900, seed, 0.01 * (1 + seed)) for seed in (3, 0, 2, 1)]
    (found,) = analyze(frame(rows)).configurations
    assert found.seeds == (0, 1, 2, 3)
    assert found.test_errors == (0.01, 0.02, 0.03, 0.04)


@pytest.mark.parametrize(("seeds", "expected"), [(1, "One seed a configuration"), (2, "honest but very wide"), (3, "")])
def test_few_seeds_are_said(seeds, expected):
    health = said(frame([row(family, 900, seed, 0.05) for family in ("free", "hyper") for seed in range(seeds)]))
    assert expected in health
    assert ("seed" in health) == bool(expected) or "Two seeds" in health
