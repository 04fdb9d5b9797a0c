import math

import numpy as np
import pytest

from hyperbudget.analyze.compare import compare
from hyperbudget.analyze.compare.differences import difference_sentences, differences
from hyperbudget.analyze.compare.evidence import evidence
from hyperbudget.analyze.compare.match import match
from hyperbudget.analyze.compare.notes import explained, left_out_words
from hyperbudget.analyze.compare.words import answer, pair_word
from hyperbudget.errors import UserError
from hyperbudget.study.results.frame import REQUIRED
from tests.report.frames import cells, demo, frame, mixed, mnist, row


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


def like(made, other):
    made.attrs = other.attrs
    return made


def only(first, other):
    (part,) = compare({"old": first, "new": other}).parts
    return part.comparisons[0], part.metric


def test_a_known_ratio_is_found():
    found, metric = only(study(noise=1), study(factor=0.8, noise=2))
    assert found.overall.ratio.mean == pytest.approx(0.8, rel=0.03)
    assert all(pair.paired and pair.clear and pair.ratio.mean == pytest.approx(0.8, rel=0.05) for pair in found.pairs)
    assert (found.time.mean, found.time.low, found.time.high) == pytest.approx((0.8, 0.8, 0.8))
    first, second = answer(found, metric)
    assert first.startswith("Over the 3 configurations that both have, the test error of new is × 0.799 [0.7")
    assert first.endswith("that of old: lower on the whole.")
    assert second.startswith("Of 3 configurations 3 differ by their own 95% interval (3 lower), where about 0.2 would")


def test_equal_studies_raise_few_alarms():
    clear = tests = sure = 0
    for number in range(1, 20):
        first, other = (study(noise=2 * number + i, size=0.2, widths=range(4, 14)) for i in (0, 1))
        found, _ = only(first, other)
        clear, tests, sure = clear + sum(p.clear for p in found.pairs), tests + found.tests, sure + any(
            p.differs for p in found.pairs
        )  # fmt: skip
    assert 0.01 < clear / tests < 0.1
    assert sure <= 3


def test_the_same_numbers_are_said_to_be_the_same():
    found, metric = only(demo(2), demo(2))
    assert all(pair.identical and pair.ratio.mean == 1 and pair.p is None for pair in found.pairs)
    assert {pair_word(pair) for pair in found.pairs} == {"identical"}
    assert found.tests == 0
    (sentence,) = answer(found, metric)
    assert sentence == "new has the same numbers as old, to the last bit, in all 168 runs that both have."
    assert differences({"a": demo(2), "b": demo(2)}) == []


def test_one_run_that_differs_in_its_last_bit_is_noticed():
    other = study()
    other.loc[4, "test_error"] = np.nextafter(other.loc[4, "test_error"], 1)
    found, metric = only(study(), other)
    assert [pair.same for pair in found.pairs] == [3, 2, 3]
    (sentence,) = [sentence for sentence in evidence(found, metric) if "to the last bit" in sentence]
    assert sentence == (
        "The same numbers, to the last bit, in 8 of 9 runs of the same configuration and seed; in those that differ "
        "the test error changes by less than a billionth."
    )


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
    assert "1 configuration finished in old and not in new." in evidence(found, metric)


def test_other_seeds_are_compared_unpaired():
    found, metric = only(study(noise=1), study(seeds=(5, 6, 7), noise=2, factor=2))
    assert not any(pair.paired for pair in found.pairs)
    assert all(pair.p is not None and pair.clear for pair in found.pairs)
    assert "No seed is in both, so that configurations are compared over different seeds." in evidence(found, metric)
    assert (found.statuses, found.lone_seeds) == ([], ({}, {}))
    nothing, metric = only(study(widths=(8,)), study(widths=(16,)))
    assert answer(nothing, metric)[0].startswith("No configuration has finished runs in both")


def test_runs_that_fail_in_one_only():
    other = study()
    other.loc[0, ["status", "test_error", "validation_error"]] = ["failed", np.nan, np.nan]
    found, metric = only(study(), other)
    assert [(each.seeds, each.before, each.after) for each in found.statuses] == [((0,), "finished", "failed")]
    assert "1 run finished in old and failed in new." in evidence(found, metric)


def test_three_studies_are_held_against_the_first():
    (part,) = compare({"a": study(), "b": study(factor=0.5), "c": study(factor=2)}).parts
    assert [found.overall.ratio.mean for found in part.comparisons] == pytest.approx([0.5, 2.0])


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UserError, match=r"^b: its task is ptb, and that of a is digits; only studies of the same task"):
        compare({"a": study(), "b": cells()})
    with pytest.raises(UserError, match=r"^b: has no runs, so there is nothing to compare$"):
        compare({"a": study(), "b": study().iloc[:0]})
    with pytest.raises(UserError, match=r"^b: digits cannot be compared: it is measured in bits per char"):
        compare({"a": study(), "b": study().assign(metric="bpc")})


def test_tasks_that_not_all_have_are_named():
    found = compare({"a": mixed(), "b": cells(), "c": study()})
    assert [(part.task, [side.name for side in part.sides]) for part in found.parts] == [("ptb", ["a", "b"])]
    assert left_out_words(found.left_out) == [
        "Left out: digits of c, 3 configurations and 9 runs, as a, which the others are held against, has no run "
        "of it.",
        "Left out: mnist of a, 11 configurations and 33 runs, as no other study has a run of it.",
    ]
    three = compare({"a": mixed(), "b": cells(), "c": mnist()})
    assert [(part.task, part.sides[1].name) for part in three.parts] == [("mnist", "c"), ("ptb", "b")]
    assert three.left_out == []


def test_a_task_in_another_metric_is_left_out():
    found = compare({"a": study(), "b": study(noise=1), "c": study().assign(metric="bpc")})
    assert [side.name for side in found.parts[0].sides] == ["a", "b"]
    assert [(each.study, each.why) for each in found.left_out] == [
        ("c", "it is measured in bits per character, and that of a in error")
    ]


def test_a_study_that_failed_throughout_has_no_metric_of_its_own():
    made = cells()
    failed = made.assign(status="failed", test_error=np.nan, validation_error=np.nan, metric=None)
    for frames in ((made, failed), (failed, made)):
        found, metric = only(*frames)
        assert metric.name == "bpc"
        assert "(all 36 runs of " in answer(found, metric)[0]
        assert answer(found, metric)[0].endswith(" failed), so nothing is compared.")


def test_what_else_differs_is_said():
    first, other = study(), study()
    first["data_digest"], other["data_digest"] = "a", "b"
    other.attrs["versions"] = first.attrs["versions"] | {"torch": "2.14.0"}
    other["model.width"] *= 10
    found = differences({"a": first, "b": other})
    assert [(each.kind, each.name, each.values) for each in found] == [
        ("settings", "width", ("8, 16, 24", "80, 160, 240")),
        ("runs", "data checksum", ("a", "b")),
        ("versions", "torch", ("2.11.0", "2.14.0")),
    ]
    assert difference_sentences(found, {"a": first, "b": other}) == [
        "The checksums of their data differ: a difference need not be the code’s.",
        "The studies tried different values of width.",
        "Versions that differ: torch.",
        "The hardware is the same.",
    ]
    assert explained(found) == "They have no value in common of width (8, 16, 24; 80, 160, 240)."


def test_many_values_are_a_range():
    first, other = study(), study(widths=range(10, 40))
    (width,) = differences({"a": first, "b": other})
    assert width.values == ("8, 16, 24", "30 values, 10 to 39")
    assert not width.disjoint


def test_means_are_of_the_runs_that_are_compared():
    found, _ = only(study(), study().query("seed != 2").reset_index(drop=True).pipe(like, study()))
    assert all(pair.identical and pair.tests[0] == pytest.approx(pair.tests[1]) for pair in found.pairs)


def test_what_matters_comes_first():
    other = study(noise=1, size=1e-4, widths=(8, 16, 24, 32, 48))
    for width, factor in ((8, 0.7), (16, 1.3), (24, 1.6), (32, 0.9)):
        other.loc[other["model.width"] == width, "test_error"] *= factor
    first = study(widths=(8, 16, 24, 32, 48))
    same = first["model.width"] == 48
    other.loc[same, ["test_error", "validation_error"]] = first.loc[same, ["test_error", "validation_error"]]
    found, metric = only(first, other)
    assert [pair.first.fields["model.width"] for pair in found.ranked] == [24, 16, 8, 32, 48]
    (sentence,) = [sentence for sentence in evidence(found, metric) if "largest rise" in sentence]
    assert sentence.startswith(
        "The largest rise that stands is × 1.60 [1.54, 1.66] (free kernels width 24) and the deepe"
    )


def test_one_seed_is_no_verdict():
    found, metric = only(study(seeds=(0,), noise=1), study(seeds=(0,), noise=2, factor=2))
    assert answer(found, metric)[0].endswith(
        "without two seeds there is no interval, and this may be chance, lower in 0 and higher in 3 of them."
    )


def test_an_older_frame_may_lack_columns():
    made = study()
    bare = made[[*REQUIRED, "model.width"]].copy()
    bare.attrs = {"study": {"name": "x"}}
    for frames in ((bare, made), (made, bare)):
        found, metric = only(*frames)
        assert len(found.pairs) == 3
        assert found.time is None
        assert evidence(found, metric) == []
    frames = {"a": bare, "b": made}
    assert difference_sentences(differences(frames), frames) == [
        "The versions of a are not recorded.",
        "The hardware of a is not recorded.",
    ]
