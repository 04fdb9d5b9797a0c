"""What the verdict claims beside its answer: no more certain than the data, and beside what makes it weak."""

import pytest

from hyperbudget.analyze import analyze
from tests.report.frames import demo, frame, row

SEEDS = range(4)


def level(family, parameters, error, seeds=SEEDS, **fields):
    """A configuration whose seeds lie around `error`."""
    return [
        row(family, parameters, seed, error * (1 + 0.02 * (seed - 1.5)), label=f"{family} {parameters}", **fields)
        for seed in seeds
    ]


def study(*levels, **changes):
    return analyze(frame([run for runs in levels for run in runs], **changes))


FREE = [level("free", count, error) for count, error in ((100, 0.4), (200, 0.2), (400, 0.1))]
HYPER = [level("hyper", count, error) for count, error in ((90, 0.3), (110, 0.15), (250, 0.08))]


def said(found, about):
    return next((sentence for sentence in found.verdict.evidence if sentence.startswith(about)), "")


def test_parameters_saved_at_equal_quality():
    assert said(study(*FREE, *HYPER), "For a") == (
        "For a validation error of at most 15% the hypernetwork needs 110 parameters (reached in > 0.99 of draws), the "
        "free net 400 (> 0.99): × 0.28 [0.28, 0.62], 38% to 72% saved."
    )


def test_the_hardest_target_that_both_surely_reach_is_named():
    """At 15% the baseline may fail, at 10% it does."""
    harder = study(level("free", 100, 0.4), level("free", 300, 0.149), *HYPER)
    shares = [(entry.target, entry.reached) for entry in harder.targets if entry.family == "free"]
    assert shares[2] == (0.15, pytest.approx(0.7, abs=0.1))
    assert said(harder, "For a").startswith("For a validation error of at most 20% the")


def test_a_target_that_is_not_sure_to_be_reached():
    """A threefold error from seed to seed: 20% is out of reach in one draw of five, and nothing harder is surer."""
    found = study(
        [
            row(family, count, seed, error * 3 ** (seed - 1.5), label=f"{family} {count}")
            for family, count, error in (
                ("free", 200, 0.14),
                ("free", 190, 0.16),
                ("hyper", 50, 0.14),
                ("hyper", 40, 0.16),
            )
            for seed in SEEDS
        ]
    )
    assert all(entry.reached < 0.9 for entry in found.targets)
    assert said(found, "For a").endswith("saved in the draws in which both reach it.")


def test_more_are_needed():
    found = study(*FREE, level("hyper", 390, 0.3), level("hyper", 800, 0.085))
    assert said(found, "For a").endswith("× 2.00 [2.00, 2.00], more are needed.")


def test_a_saving_that_is_not_sure_is_none():
    wide = [
        row("hyper", count, seed, error * 3 ** (seed - 1.5), label=f"hyper {count}")
        for count, error in ((190, 0.2), (390, 0.1))
        for seed in SEEDS
    ]
    assert said(study(*FREE, wide), "For a").endswith("no saving found.")


def test_one_seed_saves_nothing_for_sure():
    one = [level(family, count, error, seeds=(0,)) for family, count, error in
           (("free", 100, 0.4), ("free", 400, 0.1), ("hyper", 90, 0.3), ("hyper", 200, 0.09))]  # fmt: skip
    assert said(study(*one), "For a").endswith("one seed, so no interval.")
    assert "draws" not in said(study(*one), "For a")


def test_what_lands_on_one_budget_saves_nothing():
    """As in a study at equal budgets: 199 for 200 parameters is no saving."""
    found = study(level("free", 100, 0.3), level("free", 200, 0.1), level("hyper", 99, 0.3), level("hyper", 199, 0.1))
    assert said(found, "For a").endswith("no saving found.")


def test_no_common_quality_no_sentence():
    apart = study(level("free", 100, 0.4), level("hyper", 90, 0.1))
    assert said(apart, "For a") == ""


def test_the_best_of_three_families_and_how_sure():
    found = study(*FREE, *HYPER, level("shared", 105, 0.149), budgets=[110, 400])
    assert said(found, "Of all").startswith("Of all families validation selects the ")
    assert "the hypernetwork at ≤ 400 (> 0.99)" in said(found, "Of all").replace("and ", "")
    assert said(study(*FREE, *HYPER), "Of all") == "", "the answer has it for two"


def test_the_odds_of_the_best_are_those_of_the_test_split():
    """Validation prefers the shared kernels, the test knows better."""
    rows = [
        row(family, 100, seed, test * (1 + seed / 50), validation * (1 + seed / 50), label=family)
        for family, test, validation in (("free", 0.2, 0.3), ("hyper", 0.1, 0.2), ("shared", 0.3, 0.1))
        for seed in SEEDS
    ]
    assert said(study(rows, budgets=[100]), "Of all") == (
        "Of all families validation selects the shared-kernel net at ≤ 100 (< 0.01); in brackets how likely it is the "
        "best on the test split."
    )


def test_without_the_baseline_families_are_still_ranked():
    found = study(*HYPER, level("shared", 100, 0.5))
    assert "The study has no free net, the baseline, so nothing is compared with it." in found.verdict.answer
    assert said(found, "Of all").startswith("Of all families validation selects the hypernetwork at ≤")
    assert found.verdict.weak == ()


def test_one_seed_has_no_odds():
    rows = [row(family, 100, 0, error, label=family) for family, error in (("free", 0.3), ("hyper", 0.2), ("dct", 0.1))]
    assert said(study(rows, budgets=[100]), "Of all") == "Of all families validation selects the DCT net at ≤ 100."


RATES = (0.001, 0.01, 0.1)
AXES = [
    {"name": "model.family", "role": "science"},
    {"name": "model.width", "role": "science"},
    {"name": "training.learning_rate", "role": "nuisance", "log": True, "values": list(RATES)},
]


def tuned(best, **fields):
    """Two families with three learning rates, of which `best` is the best by validation."""
    return [
        run
        for family, count, error in (("free", 100, 0.2), ("hyper", 90, 0.1))
        for rate in RATES
        for run in level(family, count, error * (1 if rate == best else 2), training__learning_rate=rate, **fields)
    ]


def test_an_optimum_at_the_edge_is_said_beside_the_claim():
    found = study(tuned(0.1), axes=AXES, budgets=[100])
    assert found.verdict.weak == (
        "The free net (100; 100) and the hypernetwork (90; 90): its learning rate is the largest tried, 0.1.",
    )
    assert study(tuned(0.01), axes=AXES, budgets=[100]).verdict.weak == ()


def test_what_was_not_tuned_is_said():
    fixed = [run for run in tuned(0.01) if run["training.learning_rate"] == 0.01]
    assert "Nothing was tuned beside the question’s axes: what is fixed may suit one family better." in (
        study(fixed, axes=AXES, budgets=[100]).verdict.weak
    )


def test_many_with_the_same_weakness_are_counted():
    two = tuned(0.001)
    third = [
        run | {"label": "shared 95", "configuration": f"shared {run['configuration']}", "model.family": "shared"}
        for run in two
        if run["model.family"] == "free"
    ]
    said_of_three = "3 of the 3 configurations that are compared: its learning rate is the smallest tried, 0.001."
    assert said_of_three in study(two, third, axes=AXES, budgets=[100]).verdict.weak


def test_failed_and_missing_seeds_are_said_beside_the_claim():
    failed = [row("hyper", 90, seed, None, status="failed", reason="nan", label="hyper 90") for seed in (4, 5)]
    found = study(level("free", 100, 0.2, seeds=(0, 1)), level("hyper", 90, 0.1), failed, budgets=[100])
    assert found.verdict.weak[:2] == (
        "The free net (100; 100): it has 2 seeds, others 4.", "The hypernetwork (90; 90): 2 of its 6 runs failed.",
    )  # fmt: skip


def test_a_family_that_was_tried_more_often():
    lucky = "3 configurations of the {} were tried, 1 of the {}: more chances of a lucky one."
    better = study(level("free", 300, 0.2), *HYPER, budgets=[300]).verdict.weak
    assert lucky.format("hypernetwork", "free net") in better
    assert "Of the free net one configuration was tried: the best is that one." in better
    worse = study(level("free", 300, 0.01), *HYPER, budgets=[300]).verdict.weak
    assert not any("lucky" in sentence for sentence in worse), "the one that was tried less often is the better one"
    even = study(*FREE, *HYPER, budgets=[300]).verdict.weak
    assert not any("lucky" in sentence or "that one" in sentence for sentence in even)


def test_a_search_that_still_grew_and_a_flattering_selection():
    found = analyze(demo())
    assert not found.convergence.settled
    assert (
        "The front was still growing with the last configurations: more may change the comparison."
        in found.verdict.weak
    )
    assert found.gap.flatters == any("flatters what it selects" in sentence for sentence in found.verdict.weak)


@pytest.mark.parametrize("rows", [[], [row("free", 9, 0, None, status="failed", reason="x")], level("free", 9, 0.1)])
def test_nothing_compared_nothing_weak(rows):
    assert study(rows).verdict.weak == ()


def test_rates_and_their_intervals_are_of_the_test_split():
    """On validation a doubling halves the error, on the test it takes a fifth off."""
    rows = [
        row("free", 100 * 2**i, seed, 0.3 * 0.8**i * (1 + seed / 100), 0.4 * 0.5**i * (1 + seed / 100),
            label=f"free {i}", model__width=2**i)
        for i in range(4) for seed in SEEDS
    ]  # fmt: skip
    found = study(rows)
    for rate in (*found.rates, *found.axis_rates):
        assert rate.factor.mean == pytest.approx(0.8)
        assert 0.7 < rate.factor.low < 0.8 < rate.factor.high < 0.9
    assert (len(found.rates), len(found.axis_rates)) == (1, 1)
