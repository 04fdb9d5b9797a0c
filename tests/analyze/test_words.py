"""The paper's rows, the verdict and the health notes."""

import pytest

from hyperbudget.analyze import analyze, configurations, paper_matches
from hyperbudget.analyze.intervals import Interval
from hyperbudget.analyze.words import axis_name, change, duration, family_legend, family_name, interval, ratio
from hyperbudget.study.results.metrics import BPC, ERROR
from tests.report.frames import cells, demo, frame, mnist, row


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
        ([row("free", 9, 0, None, status="failed", reason="x")], {}, "The only run did not finish"),
        ([row("free", 9, 0, 0.1)], {}, "with one seed"),
        ([r for r in clear() if r["model.family"] == "hyper"], {}, "There is no other family"),
        (clear(), {"baseline": "lstm"}, "The study has no LSTM, the baseline"),
        (clear()[:2], {"budgets": [1500]}, "one seed gives no interval"),
        (clear(), {"budgets": [100]}, "No budget holds both"),
    ],
)
def test_verdict_is_no_more_certain_than_the_data(rows, study, expected):
    verdict = verdict_of(rows, **study)
    assert expected in " ".join(verdict.answer)
    assert "better" not in " ".join(verdict.answer + verdict.evidence)


def bits(level, **fields):
    rows = []
    for seed in range(3):
        rows.append(row("lstm", 900, seed, 1.4 + seed / 1000, model__hidden_size=300, model__num_layers=1))
        rows.append(row("hyper_lstm", 950, seed, level + seed / 1000, model__hidden_size=400, **fields))
    return [run | {"metric": "bpc", "task": "ptb"} for run in rows]


def test_verdict_in_bits():
    verdict = verdict_of(bits(1.38), baseline="lstm", budgets=[1000])
    assert verdict.answer == (
        "At ≤ 1,000 parameters the best HyperLSTM has fewer test bits per character than the best LSTM.",
    )
    assert verdict.evidence[0] == (
        "At ≤ 1,000 parameters the HyperLSTM (hidden_size 400; 950) reaches 1.381 [1.379, 1.383] test bits per "
        "character against 1.401 [1.399, 1.403] for the narrower LSTM (hidden_size 300 num_layers 1; 900): better."
    )
    assert "has more test bits per character" in verdict_of(bits(1.45), baseline=None, budgets=[1000]).answer[0]


def test_cells_in_words():
    assert [family_name(family) for family in ("ln_lstm", "hyper_rnn")] == ["layer-norm LSTM", "HyperRNN"]
    assert [family_legend(family) for family in ("ln_lstm", "hyper_rnn")] == ["LN-LSTM", "HyperRNN"]
    assert [axis_name(f"model.{field}") for field in ("num_layers", "hyper_size")] == ["layers", "hyper cell size"]
    assert analyze(cells()).baseline == analyze(frame(bits(1.4), baseline=None)).baseline == "lstm"


def test_health():
    notes = " ".join(analyze(demo()).health)
    assert "2 of 420 runs failed: the loss is not a number at step 212." in notes
    assert "2 configurations are judged by the seeds that finished" in notes
    assert "refused 4 of 88 configurations" in notes
    assert "One seed a configuration" in " ".join(analyze(demo(1)).health)


def test_words():
    assert interval(Interval(0.0212, 0.017, 0.0262, 3), ERROR) == "2.1% [1.7, 2.6]"
    assert interval(Interval(0.0212, None, None, 1), ERROR) == "2.1%"
    assert interval(Interval(1.3121, 1.305, 1.3204, 3), BPC) == "1.312 [1.305, 1.320]"
    assert [change(0.974, metric) for metric in (ERROR, BPC)] == ["× 0.97", "× 0.974"]
    assert [ratio(x) for x in (0.421, 1.0, 8.31, 12.4)] == ["× 0.42", "× 1.0", "× 8.3", "× 12"]
    assert [duration(x) for x in (41, 720, 11_520)] == ["41 s", "12 min", "3.2 h"]


def levels(**errors):
    """Five seeds of each family at each size, from {family: {parameters: error}}."""
    return [
        row(family, count, seed, error + seed / 2000, label=f"{family} {count}", model__width=count // 100)
        for family, points in errors.items()
        for count, error in points.items()
        for seed in range(5)
    ]


BOTH = "At both budgets, 1,000 and 2,000 parameters, the best hypernetwork has"


@pytest.mark.parametrize(
    ("hyper", "expected"),
    [
        ({900: 0.03, 1900: 0.02}, f"{BOTH} a lower test error than the best free net."),
        ({900: 0.03, 1900: 0.08}, f"{BOTH} a lower test error than the best free net."),
        ({900: 0.09, 1900: 0.08}, f"{BOTH} a higher test error than the best free net."),
        ({900: 0.09, 1900: 0.02}, "At ≤ 1,000 parameters the best hypernetwork has a higher test error than the best "
                                  "free net; at ≤ 2,000 it has the lower one."),
        ({900: 0.045, 1900: 0.045}, "At ≤ 1,000 parameters the best hypernetwork has a lower test error than the best "
                                    "free net; at ≤ 2,000 it has the higher one."),
    ],
)  # fmt: skip
def test_verdict_at_several_budgets(hyper, expected):
    rows = levels(free={950: 0.06, 1950: 0.038}, hyper=hyper)
    assert verdict_of(rows, budgets=[1000, 2000]).answer == (expected,)


def test_narrower_is_what_is_narrower():
    narrower = levels(free={800: 0.06}, hyper={900: 0.03})
    assert "for the narrower free net" in verdict_of(narrower, budgets=[1000]).evidence[0]
    for free in (900, 980):  # as wide, wider
        rows = levels(free={free: 0.06}, hyper={900: 0.03})
        assert "narrower" not in " ".join(verdict_of(rows, budgets=[1000]).evidence)
    other = [run | {"model.network": "wrn"} if run["model.family"] == "hyper" else run for run in narrower]
    assert "narrower" not in " ".join(verdict_of(other, budgets=[1000]).evidence), "widths of other networks"


def test_without_a_limit_validation_selects():
    """By test the free net would be the best."""
    rows = [row(family, 900, seed, test, validation) for seed in range(3)
            for family, test, validation in (("free", 0.01, 0.09), ("hyper", 0.04, 0.02))]  # fmt: skip
    assert "With no limit on parameters validation selects the hypernetwork (900; 900): 4.0%" in " ".join(
        verdict_of(rows, budgets=[1000]).evidence
    )
