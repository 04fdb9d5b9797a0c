import pandas as pd
import pytest

from hyperbudget.errors import UserError
from hyperbudget.study.results.frame import metric_of
from hyperbudget.study.results.metrics import BPC, ERROR, METRICS, metric_named


def test_a_value_in_every_place():
    assert [m.number(0.01326) for m in (ERROR, BPC)] == ["1.33", "0.013"]
    assert [m.full(1.3124) for m in (ERROR, BPC)] == ["131.24%", "1.312 bpc"]
    assert ERROR.measured("validation", 0.0133) == "validation error 1.33%"
    assert BPC.measured("validation", 1.3119) == "validation 1.312 bpc"
    assert [m.measure for m in (ERROR, BPC)] == ["%", "bpc"]
    assert [m.ratio(0.9876) for m in (ERROR, BPC)] == ["0.99", "0.988"]
    assert [ERROR.write(x) for x in (0.0212, 0.00724, 0.123, 0.00996, 1.0)] == ["2.1%", "0.72%", "12%", "1.0%", "100%"]
    assert BPC.write(1.25) == "1.250"


def test_comparisons_in_words():
    assert (ERROR.lower("test"), ERROR.higher("test")) == ("a lower test error", "a higher test error")
    assert BPC.lower("validation") == "fewer validation bits per character"
    assert BPC.higher("test") == "more test bits per character"
    assert [m.lower_again for m in (ERROR, BPC)] == ["the lower one", "fewer"]


def test_metric_of_a_result_and_of_a_frame():
    assert metric_named(None) is ERROR
    assert all(metric_named(name) is metric for name, metric in METRICS.items())
    assert metric_of(pd.DataFrame({"test_error": [0.1]})) is ERROR
    assert metric_of(pd.DataFrame({"metric": ["bpc", None]})) is BPC, "a failed run may not say it"
    assert metric_of(pd.DataFrame({"metric": [None]})) is ERROR


@pytest.mark.parametrize(("names", "words"), [(["bpc", "error"], "bpc and error"), (["nats"], "'nats' is not one of")])
def test_what_cannot_be_compared_or_is_unknown(names, words):
    with pytest.raises(UserError, match=words):
        metric_of(pd.DataFrame({"metric": names}))
