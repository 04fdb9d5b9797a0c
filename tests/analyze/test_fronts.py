import numpy as np

from hyperbudget.analyze import analyze, at_budget, configurations, equal_budget, front, fronts
from hyperbudget.analyze.budgets import choose_budgets, round_up
from tests.report.frames import demo, frame, row


def test_front_against_brute_force():
    random = np.random.default_rng(0)
    for _ in range(30):
        rows = [
            row("free", int(random.integers(1, 12)), 0, 0.5, random.integers(1, 12) / 100, label=f"free {i}")
            for i in range(25)
        ]
        found = configurations(frame(rows))
        points = {(c.parameters, c.validation.mean) for c in found}
        expected = {p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)}
        assert {(c.parameters, c.validation.mean) for c in front(found)} == expected
        assert len(front(found)) == len(expected)


def test_fronts_are_one_a_family():
    found = configurations(demo())
    by_family = fronts(found)
    assert sorted(by_family) == ["free", "hyper", "shared"]
    for family, members in by_family.items():
        assert members == front([c for c in found if c.family == family])


def trap():
    """By test error the configuration `bad` would win; by validation it must not."""
    rows = []
    for seed in range(3):
        rows += [
            row("hyper", 900, seed, 0.030 + seed / 400, 0.02, label="hyper good"),
            row("hyper", 800, seed, 0.005, 0.09, label="hyper bad"),
            row("free", 950, seed, 0.080 + seed / 400, 0.07, label="free a"),
            row("free", 2000, seed, 0.001, 0.01, label="free too large"),
        ]
    return frame(rows)


def test_selection_uses_validation_alone():
    found = configurations(trap())
    best = at_budget(found, 1000)
    assert {family: c.label for family, c in best.items()} == {"hyper": "hyper good", "free": "free a"}
    assert [c.label for c in front([c for c in found if c.family == "hyper"])] == ["hyper bad", "hyper good"]


def test_selection_keeps_to_the_budget_exactly():
    found = configurations(trap())
    assert "free" not in at_budget(found, 949)
    assert at_budget(found, 2000)["free"].label == "free too large"


def test_words_follow_the_interval():
    entries = equal_budget(configurations(trap()), [1000, 2000], "free", 1 / 400)
    words = {(e.budget, e.family): e.word for e in entries}
    assert words == {
        (1000, "free"): "baseline", (1000, "hyper"): "better", (2000, "free"): "baseline", (2000, "hyper"): "worse",
    }  # fmt: skip


def test_no_difference_and_no_interval():
    same = frame([row(f, 100, s, 0.02 + s / 400) for f in ("free", "hyper") for s in range(4)])
    assert analyze(same).entries[-1].word == "no difference found"
    single = frame([row(f, 100, 0, 0.02) for f in ("free", "hyper")])
    assert analyze(single).entries[-1].word == "no interval"


def test_chosen_budgets():
    found = configurations(demo())
    budgets = choose_budgets(found, "free")
    assert 1 <= len(budgets) <= 6
    assert budgets == sorted(budgets)
    assert all(len(at_budget(found, budget)) > 1 for budget in budgets)
    assert budgets[-1] >= max(c.parameters for members in fronts(found).values() for c in members)
    assert [round_up(n) for n in (7, 99, 101, 1410, 31_906)] == [7, 99, 110, 1500, 32_000]


def test_budgets_of_the_study_come_first():
    frame_ = demo()
    frame_.attrs["study"]["budgets"] = [1500, 6000]
    assert sorted({e.budget for e in analyze(frame_).entries}) == [1500, 6000]
