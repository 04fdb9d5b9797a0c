import re

import pytest

from hyperbudget.analyze import analyze
from hyperbudget.report import build
from hyperbudget.report.certainty import certainty
from hyperbudget.report.tables import probability, tables
from tests.report.frames import cells, demo, frame, mnist, row
from tests.report.test_build import STUDIES, words

SMALLEST = "The smallest configuration is on the front whatever its error."


@pytest.fixture(scope="module")
def found():
    return analyze(demo())


def test_the_front_and_its_odds(found):
    made = certainty(found)
    assert re.match(r"Of 12 configurations on the front \d+ (is|are) there in at least", made["sentence"])
    assert len(made["front"]) == 24
    assert made["left"] == len(found.members) - 24
    assert made["weights"]
    assert made["files"]
    first = made["front"][0]
    assert first["on"]
    assert first["width"] >= 50, "the better one of the two smallest"
    counts = [int(row["parameters"].replace(",", "")) for row in made["front"]]
    assert counts == sorted(counts)
    smallest = found.configurations[0]
    assert first["weights"] == f"{smallest.counts['params.generated'] / smallest.parameters:.1f} ×"
    assert first["file"] == f"{smallest.compact_bytes:,}"
    assert sum(row["on"] for row in made["front"]) == len(found.front)


def test_at_equal_budget_the_odds_agree_with_the_words(found):
    for entry in found.entries:
        assert (entry.beats is None) == (entry.ratio is None)
        if entry.beats is not None:
            assert {"better": entry.beats > 0.975, "worse": entry.beats < 0.025}.get(
                entry.word, 0.025 <= entry.beats <= 0.975
            )
    assert all(row["beats"] for group in tables(found)["budgets"] for row in group["rows"] if row["ratio"])


def test_targets_fall_and_name_their_parameters(found):
    groups = certainty(found)["targets"]
    targets = [float(group["target"].removesuffix("%")) for group in groups]
    assert 3 <= len(targets) <= 5
    assert targets == sorted(targets, reverse=True)
    assert all(row["baseline"] == (row["family"] == "free kernels") for group in groups for row in group["rows"])
    assert {row["family"] for row in groups[0]["rows"]} == {"free kernels", "hypernetwork", "shared kernel"}


def test_rates_say_where_they_hold(found):
    rows = {row["family"]: row for row in certainty(found)["rates"]}
    assert re.fullmatch(r"× 0\.\d\d", rows["free kernels"]["factor"])
    assert re.fullmatch(r"\[0\.\d\d, 0\.\d\d\]", rows["free kernels"]["interval"])
    assert " to " in rows["free kernels"]["span"]


@pytest.mark.parametrize("make", [lambda: demo(1), lambda: STUDIES["single seed"]])
def test_one_seed_says_that_nothing_is_sure(make):
    made = certainty(analyze(make()))
    assert made["sentence"] == "One seed a configuration shows no spread, so nothing says how sure the front is."
    assert made["front"] == []
    assert all(row["reached"] == row["ratio_interval"] == "" for group in made["targets"] for row in group["rows"])
    assert all(row["interval"] == "" for row in made["rates"])


def test_a_front_beyond_doubt():
    rows = [row("free", 100 * 4**i, s, 0.4 / 2**i + s * 1e-3, label=f"free {i}") for i in range(3) for s in range(3)]
    made = certainty(analyze(frame(rows)))
    assert made["sentence"] == (f"{SMALLEST} Of the 2 others on the front all are there in at least nine of ten draws.")


@pytest.mark.parametrize("name", ["empty", "all failed", "one run"])
def test_nothing_to_be_sure_of(name, tmp_path):
    made = certainty(analyze(STUDIES[name]))
    assert not any(made[part] for part in ("sentence", "front", "targets", "rates"))
    (path,) = build(STUDIES[name], tmp_path, "html")
    assert "How sure is the front" not in path.read_text()


def test_one_family_has_no_ratios(tmp_path):
    (path,) = build(STUDIES["one family"], tmp_path, "html")
    read = words(path.read_text())
    assert "How sure is the front" in read
    assert "At equal quality" in read
    assert "baseline" not in read
    assert "lucky" not in read


def test_words_of_bits_and_of_errors(tmp_path):
    (path,) = build(cells(), tmp_path / "bits", "html")
    read = words(path.read_text())
    assert "reaches the validation bits per character on the left" in read
    assert "the rate tends to 1" in read
    (path,) = build(mnist(), tmp_path / "errors", "html")
    assert "the rate tends to 1" not in words(path.read_text())


def test_few_seeds_of_some_are_said():
    seeds = ((0, 3), (1, 4), (2, 3))
    rows = [row("free", 900 + i, seed, 0.05 + 0.01 * seed, label=f"free {i}") for i, n in seeds for seed in range(n)]
    assert any("3 for 2, 4 for 1" in sentence for sentence in analyze(frame(rows)).health)


def test_a_share_of_draws_proves_nothing():
    assert [probability(share) for share in (0.0, 0.004, 0.5, 0.731, 0.9951, 1.0)] == [
        "< 0.01", "< 0.01", "0.50", "0.73", "> 0.99", "> 0.99"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ({900: 0.03, 910: 0.09}, "The front is the smallest configuration alone, which is there whatever its error."),
        ({900: 0.09, 910: 0.03}, f"{SMALLEST} The other one is there in at least nine of ten draws."),
        ({900: 0.09, 910: 0.0895}, f"{SMALLEST} The other one is not there in at least nine of ten draws."),
    ],
)
def test_the_smallest_is_no_evidence(errors, expected):
    rows = [row("free", n, s, e * (1 + s / 20), label=f"free {n}") for n, e in errors.items() for s in range(3)]
    assert certainty(analyze(frame(rows)))["sentence"] == expected


def test_every_configuration_has_its_odds(found):
    rows = tables(found)["all"]
    assert len(rows) == len(found.configurations) == len(found.probabilities)
    for made, c in zip(rows, found.configurations, strict=True):
        assert made["chance"] == probability(found.probabilities[c.name])
    assert not tables(analyze(demo(1)))["chances"]


def test_each_axis_has_its_exchange_rate(found):
    rows = {(made["axis"], made["family"]): made for made in tables(found)["axes"]}
    assert re.fullmatch(r"× 0\.\d\d", rows["Width", "free kernels"]["rate"])
    assert re.fullmatch(r"\[0\.\d\d, 0\.\d\d\]", rows["Width", "free kernels"]["rate_interval"])
    assert rows["Embedding size N_z", "hypernetwork"]["rate"]
    assert rows["Depth", "shared kernel"]["rate"] == "", "tied layers cost next to nothing"
