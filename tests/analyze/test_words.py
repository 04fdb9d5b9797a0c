"""The paper's rows, the verdict and the health notes."""

import pytest

from hyperbudget.analyze import analyze, configurations, paper_matches
from hyperbudget.analyze.intervals import Interval
from hyperbudget.analyze.words import duration, interval, percent, ratio
from tests.report.frames import demo, frame, mnist, row


def test_paper_rows_are_matched_by_their_fields():
    matches = paper_matches(configurations(mnist()))
    assert [(m.row.row, m.count, m.row.count) for m in matches] == [
        ("normal convnet", 12_544, 12_544),
        ("hypernetwork, N_z = 4", 4_244, 4_244),
    ]
    assert matches[1].configuration.fields["model.embedding_size"] == 4
    assert "2,000 steps of 256, adam" in matches[0].protocol
    assert not paper_matches(configurations(demo()))


def test_paper_match_is_tuned_on_validation():
    made = mnist()
    rival = made[(made["model.family"] == "free") & (made["model.width"] == 16)].copy()
    rival["configuration"], rival["label"] = "rival", "free rival"
    rival["test_error"], rival["validation_error"] = 0.001, 0.5
    both = frame([*made.to_dict("records"), *rival.to_dict("records")])
    match = paper_matches(configurations(both))[0]
    assert match.candidates == 2
    assert match.configuration.label != "free rival"


def verdict_of(rows, **study):
    return analyze(frame(rows, **study)).verdict


def clear(word="hyper"):
    errors = {"hyper": 0.02, "free": 0.05}
    rows = []
    for seed in range(5):
        rows.append(
            row("hyper", 1410, seed, errors["hyper"] + seed / 1000, label="hyper width 16 N_z 4", model__width=16)
        )
        rows.append(row("free", 1346, seed, errors["free"] + seed / 1000, label="free width 8", model__width=8))
    return rows


def test_verdict_of_a_clear_case():
    verdict = verdict_of(clear(), budgets=[1500])
    assert verdict.answer == (
        "At ≤ 1,500 parameters the best hypernetwork has a lower test error than the best free net.",
    )
    assert verdict.evidence[0] == (
        "At ≤ 1,500 parameters the hypernetwork (width 16 N_z 4; 1,410) reaches 2.2% [2.0, 2.4] test error against "
        "5.2% [5.0, 5.4] for the narrower free net (width 8; 1,346): better."
    )


@pytest.mark.parametrize(
    ("rows", "study", "expected"),
    [
        ([], {}, "No run has finished yet"),
        ([row("free", 9, 0, None, status="failed", reason="x")], {}, "None of 1 run finished"),
        ([row("free", 9, 0, 0.1)], {}, "with one seed"),
        ([r for r in clear() if r["model.family"] == "hyper"], {}, "There is no other family"),
        (clear(), {"baseline": "lstm"}, "The study has no lstm net, the baseline"),
        (clear()[:2], {"budgets": [1500]}, "one seed gives no interval"),
        (clear(), {"budgets": [100]}, "No budget holds both"),
    ],
)
def test_verdict_is_no_more_certain_than_the_data(rows, study, expected):
    verdict = verdict_of(rows, **study)
    assert expected in " ".join(verdict.answer)
    assert "better" not in " ".join(verdict.answer + verdict.evidence)


def test_health():
    notes = " ".join(analyze(demo()).health)
    assert "2 of 420 runs failed: the loss is not a number at step 212." in notes
    assert "2 configurations are judged by the seeds that finished" in notes
    assert "refused 4 configurations" in notes
    assert "One seed a configuration" in " ".join(analyze(demo(1)).health)


def test_words():
    assert [percent(x) for x in (0.0212, 0.00724, 0.123, 0.00996, 1.0)] == ["2.1%", "0.72%", "12%", "1.0%", "100%"]
    assert interval(Interval(0.0212, 0.017, 0.0262, 3)) == "2.1% [1.7, 2.6]"
    assert interval(Interval(0.0212, None, None, 1)) == "2.1%"
    assert [ratio(x) for x in (0.421, 1.0, 8.31, 12.4)] == ["× 0.42", "× 1.0", "× 8.3", "× 12"]
    assert [duration(x) for x in (41, 720, 11_520)] == ["41 s", "12 min", "3.2 h"]
