import math

import numpy as np
import pytest
from scipy import stats

from hyperbudget.analyze.compare import compare, holm, paired_ratio
from hyperbudget.analyze.compare_match import match
from hyperbudget.analyze.compare_words import answer, differences, evidence, pair_word
from hyperbudget.errors import UserError
from tests.report.frames import cells, demo, frame, row

STEP = 1e-9


def study(factor=1.0, seeds=(0, 1, 2), widths=(8, 16, 24), spread=0.05, noise=0, size=0.01, rename="", **fields):
    """Free nets of several widths. Seeds shift all studies alike; `noise` seeds what is a study's own, if not 0."""
    shared, own = np.random.default_rng(1), np.random.default_rng(noise)
    rows = []
    for width in widths:
        for seed in range(10):
            error = 0.1 * factor * (8 / width) ** 0.5 * math.exp(spread * shared.normal())
            if noise:
                error *= math.exp(size * own.normal())
            if seed in seeds:
                made = row("free", 100 * width, seed, error, model__width=width, training__steps=400, **fields)
                rows.append(made | {"configuration": rename + made["configuration"], "seconds": 3.0 * factor})
    return frame(rows, task="digits")


def only(first, other):
    (part,) = compare({"old": first, "new": other})
    return part.comparisons[0], part.metric


def test_paired_interval_is_that_of_the_textbook():
    errors, reference = [0.11, 0.13, 0.10, 0.15], [0.10, 0.14, 0.09, 0.13]
    found, p = paired_ratio(errors, reference, STEP)
    known = stats.ttest_rel(np.log(errors), np.log(reference))
    low, high = known.confidence_interval(0.95)
    assert p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))
    assert found.mean == pytest.approx(math.exp(np.mean(np.log(errors) - np.log(reference))))


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_paired_interval_covers(seeds):
    random, hits, times = np.random.default_rng(4), 0, 1500
    for _ in range(times):
        shared = random.normal(0, 0.3, seeds)  # a hard seed is hard for both
        one, other = 0.1 * np.exp(shared + random.normal(0, 0.05, (2, seeds)))
        found, _ = paired_ratio(0.9 * one, other, STEP)
        hits += found.low <= 0.9 <= found.high
    assert 0.935 <= hits / times <= 0.965


def test_pairing_takes_what_seeds_share_away():
    random = np.random.default_rng(0)
    shared = random.normal(0, 0.5, 5)
    one, other = np.exp(shared) * 0.1, np.exp(shared + random.normal(0, 0.01, 5)) * 0.1
    found, _ = paired_ratio(one, other, STEP)
    assert found.high / found.low < 1.06


def test_rounding_is_not_certainty():
    found, p = paired_ratio([0.10, 0.10], [0.10, 0.10], 0.01)
    assert found.low < 0.8 < 1.2 < found.high
    assert p == pytest.approx(1)


def test_one_seed_has_no_interval():
    found, p = paired_ratio([0.1], [0.2], STEP)
    assert (found.mean, found.low, found.high, p) == (pytest.approx(0.5), None, None, None)


def test_holm_stops_at_the_first_that_is_too_large():
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm([0.04, 0.03]) == [False, False]
    assert holm([]) == []


def test_holm_keeps_the_chance_of_any_false_alarm():
    random = np.random.default_rng(2)
    alarms = np.mean([any(holm(list(random.random(20)))) for _ in range(4000)])
    assert alarms < 0.06


def test_a_known_ratio_is_found():
    found, metric = only(study(noise=1), study(factor=0.8, noise=2))
    assert found.overall.mean == pytest.approx(0.8, rel=0.03)
    assert all(pair.paired and pair.clear and pair.ratio.mean == pytest.approx(0.8, rel=0.05) for pair in found.pairs)
    assert found.seconds.mean == pytest.approx(0.8)
    first, second = answer(found, metric)
    assert "the test error of new is × 0.799 [0.789, 0.809]" in first
    assert first.endswith("that of old: lower on the whole.")
    assert second.startswith("Of 3 configurations 3 differ by their own 95% interval (3 lower), where about 0.2 would")


def test_equal_studies_raise_few_alarms():
    clear = tests = sure = 0
    for number in range(1, 40):
        first, other = (study(noise=2 * number + i, size=0.2, widths=range(4, 14)) for i in (0, 1))
        found, _ = only(first, other)
        clear, tests, sure = clear + sum(p.clear for p in found.pairs), tests + found.tests, sure + any(
            p.differs for p in found.pairs
        )  # fmt: skip
    assert 0.02 < clear / tests < 0.09
    assert sure <= 6


def test_the_same_numbers_are_said_to_be_the_same():
    found, metric = only(demo(2), demo(2))
    assert all(pair.identical and pair.ratio.mean == 1 and pair.p is None for pair in found.pairs)
    assert {pair_word(pair) for pair in found.pairs} == {"the same numbers"}
    assert found.tests == 0
    (sentence,) = answer(found, metric)
    assert sentence == "new has the same numbers as old, to the last bit, in all 168 runs that both have."
    assert not any("differ" in sentence for sentence in differences({"a": demo(2), "b": demo(2)}))


def test_one_run_that_differs_in_its_last_bit_is_noticed():
    other = study()
    other.loc[4, "test_error"] = np.nextafter(other.loc[4, "test_error"], 1)
    found, _ = only(study(), other)
    assert [pair.same for pair in found.pairs] == [3, 2, 3]
    assert any("in 8 of 9 runs" in sentence for sentence in evidence(found, _))


def test_learning_curves_have_their_say():
    first, other = study(), study()
    for made, end in ((first, 0.2), (other, 0.3)):
        made["curve.train_loss"] = [[1.0, end]] * len(made)
    found, _ = only(first, other)
    assert [pair.same for pair in found.pairs] == [0, 0, 0]


def test_configurations_with_new_names_are_matched_by_their_fields():
    first, other = study(), study(rename="v2-", training__new_option=7)
    assert match(first, other) == {name: f"v2-{name}" for name in first["configuration"].unique()}
    ambiguous = study(rename="v2-", widths=(8,))
    twin = ambiguous.assign(configuration="twin")
    both = frame([*ambiguous.to_dict("records"), *twin.to_dict("records")])
    assert match(first, both) == {}


def test_what_only_one_has():
    found, metric = only(study(widths=(8, 16)), study(widths=(16, 24)))
    assert [c.fields["model.width"] for c in found.only_first] == [8]
    assert [c.fields["model.width"] for c in found.only_other] == [24]
    assert [pair.first.fields["model.width"] for pair in found.pairs] == [16]
    assert "1 configuration finished in old only." in evidence(found, metric)


def test_other_seeds_are_compared_unpaired():
    found, metric = only(study(noise=1), study(seeds=(5, 6, 7), noise=2, factor=2))
    assert not any(pair.paired for pair in found.pairs)
    assert all(pair.p is not None and pair.clear for pair in found.pairs)
    assert "No seed is in both, so that configurations are compared over different seeds." in evidence(found, metric)
    nothing, metric = only(study(widths=(8,)), study(widths=(16,)))
    assert answer(nothing, metric)[0].startswith("No configuration has finished runs in both")


def test_runs_that_fail_in_one_only():
    other = study()
    other.loc[0, ["status", "test_error", "validation_error"]] = ["failed", np.nan, np.nan]
    found, metric = only(study(), other)
    assert (found.broken, found.mended) == (1, 0)
    assert "1 run finished in old and failed in new." in evidence(found, metric)


def test_three_studies_are_held_against_the_first():
    (part,) = compare({"a": study(), "b": study(factor=0.5), "c": study(factor=2)})
    assert [found.overall.mean for found in part.comparisons] == pytest.approx([0.5, 2.0])


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UserError, match=r"^b: its task is ptb, and that of a is digits; only studies of the same task"):
        compare({"a": study(), "b": cells()})
    bits = study()
    bits["metric"] = "bpc"
    with pytest.raises(UserError, match=r"^b: its runs on digits are measured in bits per character, and those of a"):
        compare({"a": study(), "b": bits})


def test_what_else_differs_is_said():
    first, other = study(), study()
    first["data_digest"], other["data_digest"] = "a", "b"
    other.attrs["versions"] = first.attrs["versions"] | {"torch": "2.14.0"}
    said = differences({"a": first, "b": other})
    assert said == [
        "The checksums of their data differ: a difference need not be the code’s.",
        "Versions that differ: torch (2.11.0, 2.14.0).",
        "The hardware is the same.",
    ]
