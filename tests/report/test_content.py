"""What stands in the report where the study has the data for it, and what is said where it has not."""

import re

import pytest
from pypdf import PdfReader

from hyperbudget.analyze.summary import analyze
from hyperbudget.report import build
from hyperbudget.report.figures import draw_figures
from hyperbudget.report.inside import inside
from tests.report.frames import cells, demo, frame, mnist, odd, row, sharing_nets
from tests.report.test_build import Page, words

PRUNING = {"pruner": "hyperband", "first": 1, "promote": 0.25}
STOPPED = {"status": "pruned", "reason": "pruned at step 200", "validation_error": None, "test_error": None}


def page_of(made, folder):
    (path,) = build(made, folder, "html")
    return path.read_text()


def drawn(made):
    analysis = analyze(made)
    return {name for name, figure in draw_figures(made, analysis, inside(made, analysis.metric)).items() if figure}


def parts(made, **counts):
    """The frame with groups of parameters that add up: shares of each run's learnable ones."""
    made = made.copy()
    rest = made["params.learnable"].astype(int)
    for group, share in counts.items():
        made[f"params.{group}"] = (made["params.learnable"] * share).astype(int)
        rest = rest - made[f"params.{group}"]
    made["params.head"] = rest
    return made


def test_importances_and_anatomy(tmp_path):
    made = parts(demo(2), stem=0.15, kernels=0.3, generator=0.2)
    assert {"importances", "anatomy"} <= drawn(made)
    page = page_of(made, tmp_path)
    assert not Page(page).stack
    read = words(page)
    for expected in (
        "Which axes decide the validation error?",
        "Hypernetwork: of the variance over 60 configurations, by itself, the embedding size Nz 0.",
        "Free net, 12 configurations, by fANOVA and PED-ANOVA: width 0.",
        "Where the budget goes",
        "stem 0.15",
        "Learnable parameters by group.",
    ):
        assert expected in read, expected


def test_sharing(tmp_path):
    made = sharing_nets()
    assert {"sharing_maps", "sharing_shapes"} <= drawn(made)
    page, pdf = build(made, tmp_path)
    text = page.read_text()
    parsed = Page(text)
    assert not parsed.stack
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    read = words(text)
    for expected in (
        "How much is shared", "Shared-kernel net, 6 kernels: root mean square 1.00, by chance 0.02.", "3.4 of 5",
        "Hypernetwork: 24 embeddings, principal axes with 0.52 and 0.31 of the variance.",
        "The effective rank of each kernel over what it can be, on the left.",
    ):  # fmt: skip
        assert expected in read, expected
    printed = " ".join(page.extract_text() for page in PdfReader(pdf).pages)
    assert "How much is shared" in printed
    assert "of what the family’s sizes allow" in re.sub(r"\s+", " ", printed)


@pytest.mark.parametrize("make", [cells, mnist])
def test_an_older_frame_has_none_of_it(make, tmp_path):
    made = make()
    assert not {"sharing_maps", "sharing_shapes", "anatomy", "spread", "costs"} & drawn(made)
    read = words(page_of(made, tmp_path))
    assert "How much is shared" not in read
    assert "Where the budget goes" not in read


def halving():
    """A quarter of the configurations with all seeds, some runs stopped."""
    made = demo(3)
    names = list(dict.fromkeys(made["configuration"]))
    promoted, stopped = set(names[::4]), set(names[1::4])
    made = made[made["configuration"].isin(promoted) | (made["seed"] == 0)].copy()
    for column, value in STOPPED.items():
        made.loc[made["configuration"].isin(stopped), column] = value
    made.attrs = demo(3).attrs | {"study": demo(3).attrs["study"] | {"pruning": PRUNING}}
    return made, len(stopped)


def test_pruned_runs_and_unpromoted_configurations_are_told_of(tmp_path):
    made, stopped = halving()
    page, pdf = build(made, tmp_path)
    text = page.read_text()
    assert not Page(text).stack
    read = words(re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert not re.search(r"\bnan\b", read, re.IGNORECASE)
    assert f"<dt>stopped early</dt><dd>{stopped}</dd>" in text
    assert f"{stopped} of {len(made)} runs were stopped early by the pruner hyperband" in read
    assert read.count("by design: only the best 0.25 of them after that got the others.") == 2, "verdict and health"
    head = read[: read.index("The trade-off")]
    assert "by design" in head, "beside the claims"
    assert len(PdfReader(pdf).pages) > 1


def test_all_pruned(tmp_path):
    rows = [row("free", 900, seed, None, status="pruned", reason="pruned at step 9") for seed in range(3)]
    page, pdf = build(frame(rows, pruning=PRUNING), tmp_path)
    text = page.read_text()
    assert not Page(text).stack
    assert "has no answer" in text
    assert "<svg" not in text
    assert "3 of 3 runs were stopped early by the pruner hyperband" in text
    assert "failed: " not in text
    assert len(PdfReader(pdf).pages) >= 1


def test_only_the_best_pruned_family_is_left_out(tmp_path):
    rows = [row("free", 900, seed, 0.05) for seed in range(3)]
    rows += [row("hyper", 900, 0, None, status="pruned", reason="pruned at step 9")]
    read = words(page_of(frame(rows, pruning=PRUNING), tmp_path))
    assert "There is no other family to compare it with." in read
    assert "1 configuration was stopped before any seed finished and is absent" in read


ODD = odd()


@pytest.fixture(scope="module")
def odd_pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    return {name: page_of(made, folder / str(number)) for number, (name, made) in enumerate(ODD.items())}


@pytest.mark.parametrize("name", ODD)
def test_odd_studies_make_sense(name, odd_pages):
    text = re.sub(r"<script.*?</script>|base64,[\w+/=]*", "", odd_pages[name], flags=re.DOTALL)
    assert not Page(text).stack
    read = words(text)
    assert not re.search(r"\b(nan|inf|None(?! of)|0 parameters)\b", read), name
    assert not re.search(r"<tbody>\s*</tbody>", text), "no table without rows"
    assert not re.search(r"<ul[^>]*>\s*</ul>", text), "no list without items"
    assert not re.search(r"</h2>\s*</section>", text), "no heading without content"
    assert "What the runs cannot say:" in read


@pytest.mark.parametrize(
    ("name", "says", "never"),
    [
        ("ties", "no difference was found", ": better"),
        ("one seed beside five", "one seed gives no interval", ": better"),
        ("huge intervals", "no difference was found", ": better"),
        ("no baseline among several", "The study has no free net, the baseline", "against the free net"),
        ("all diverged but one", "There is no other family", "better."),
        ("nothing but running", "has no answer", "test error with"),
        ("targets that the rival never reaches", "has a higher test error than the best free net", " saved"),
    ],
)
def test_odd_studies_claim_nothing(name, says, never, odd_pages):
    read = words(re.sub(r"<script.*?</script>", "", odd_pages[name], flags=re.DOTALL))
    head = read[: read.index("How sure is this") if "The trade-off" not in read else read.index("The trade-off")]
    assert says in head
    assert never not in head


def test_without_a_baseline_no_column_speaks_of_one(odd_pages):
    read = words(odd_pages["no baseline among several"])
    assert "At equal budget" in read
    for column in ("P(better)", "Ratio [95% CI]", "no free net fits", "Welch"):
        assert column not in read, column


def test_what_makes_a_claim_weak_stands_beside_it(odd_pages):
    read = words(odd_pages["targets that the rival never reaches"])
    head = read[: read.index("The trade-off")]
    assert "What makes this weaker than its intervals say:" in head
    assert "2 configurations of the free net were tried, 1 of the hypernetwork: more chances of a lucky one." in head
    assert "What makes this weaker" not in words(odd_pages["nothing but running"])


def test_a_table_says_what_is_weak_in_its_rows(tmp_path):
    rates = (0.01, 0.03, 0.1)
    rows = [
        row(family, 900, seed, 0.05 * (1 if rate == 0.1 else 2) * (1 + seed / 10), label=f"{family} a",
            training__learning_rate=rate)
        for family in ("free", "hyper") for rate in rates for seed in range(3)
    ]  # fmt: skip
    rows.append(row("hyper", 900, 3, None, status="failed", reason="nan", label="hyper a", training__learning_rate=0.1))
    read = words(page_of(frame(rows), tmp_path))
    budgets = read[read.index("The best configuration of each family within each budget") :]
    assert "a lr 0.1, lr at the edge" in budgets
    assert "a lr 0.1, 1 failed, lr at the edge" in budgets


def test_an_empty_study_does_not_explain_its_intervals(tmp_path):
    read = words(page_of(frame([]), tmp_path))
    assert "anything about quality, fronts, budgets or axes: no run has a result" in read
    assert "Student" not in read


def test_line_and_band_of_what_a_budget_buys(tmp_path):
    read = words(page_of(mnist(), tmp_path / "three"))
    assert "its band where that lies in 95 percent of draws" in read
    assert "Dotted, with a star at our count of learnable parameters: the paper’s errors." in read
    one = words(page_of(mnist(1), tmp_path / "one"))
    assert "its band" not in one
    assert "The lines show the error that a budget buys." in one
