import pytest

from hyperbudget.analyze.anatomy import MOST, anatomy_sentences, groups_of, present, shown
from hyperbudget.analyze.configurations import configurations
from tests.report.frames import frame, row


def made(family, *groups, start=0):
    """A configuration for each mapping of groups to counts."""
    rows = [
        row(family, sum(each.values()), 0, 0.1 / (start + n + 1), label=f"{family} {start + n}")
        | {f"params.{name}": count for name, count in each.items()}
        for n, each in enumerate(groups)
    ]
    return configurations(frame(rows))


SMALL, LARGE = {"stem": 100, "generator": 500, "embeddings": 200, "head": 200}, {"stem": 100, "kernels": 0, "head": 900}


def test_groups_in_their_order_without_empty_ones():
    chosen = made("hyper", SMALL, LARGE)
    assert [groups_of(c) for c in chosen] == [SMALL, {"stem": 100, "head": 900}]
    assert present(chosen) == ["stem", "generator", "embeddings", "head"]


def test_groups_that_do_not_add_up_are_none():
    (chosen,) = configurations(frame([row("free", 1_000, 0, 0.1) | {"params.stem": 10, "params.kernels": 900}]))
    assert groups_of(chosen) == {}
    assert groups_of(configurations(frame([row("free", 1_000, 0, 0.1)]))[0]) == {}
    assert shown({"free": [chosen]}) == []


def test_shares_from_the_smallest_to_the_largest():
    (sentence,) = anatomy_sentences(made("hyper", SMALL, {"stem": 100, "generator": 1_900}))
    assert sentence == (
        "Hypernetwork, from 1,000 to 2,000 parameters: stem 0.10 → 0.05, generator 0.50 → 0.95, embeddings 0.20 → 0.00 "
        "and head 0.20 → 0.00."
    )
    assert anatomy_sentences(made("lstm", {"recurrent": 900, "head": 100})) == [
        "LSTM of 1,000 parameters: main cell 0.90 and head 0.10."
    ]


@pytest.mark.parametrize("sizes", [(60, 3), (30, 30, 30), (5, 2)])
def test_many_are_thinned_out(sizes):
    fronts = {
        f"family {number}": made(f"family {number}", *({"kernels": n + 10} for n in range(size)), start=number * 100)
        for number, size in enumerate(sizes)
    }
    chosen = shown(fronts)
    assert len(chosen) <= MOST
    assert len(chosen) >= min(sum(sizes), MOST - len(sizes))
    for family, members in fronts.items():
        own = [c for c in chosen if c.family == family]
        assert own[-1] is members[-1]
        assert len(own) == 1 or own[0] is members[0]
