"""Dropout takes numbers that were drawn before as it would draw them itself."""

import pytest
import torch

from hyperbudget.nn.cells import HyperLstm
from hyperbudget.nn.language_model import LanguageModelNet
from hyperbudget.nn.spec import LanguageModel
from hyperbudget.nn.uniform import Given, Noted, uniform

SPEC = LanguageModel(12, num_layers=2, input_dropout=0.1, recurrent_dropout=0.2, output_dropout=0.3)


def test_a_network_drops_what_it_would_have_dropped():
    model = LanguageModelNet(SPEC, HyperLstm(4, 2, hyper_dropout=True), symbols=5)
    ids = torch.randint(5, (6, 3))
    expected, _ = model(ids, generator=torch.Generator().manual_seed(1))
    noted = Noted(torch.zeros(()))
    model(ids, generator=noted)
    assert noted.shapes == [(6, 3), (6, 3, 12), (6, 3, 4), (6, 3, 12), (6, 3, 4), (6, 3, 12)]
    generator = torch.Generator().manual_seed(1)
    found, _ = model(ids, generator=Given([torch.rand(shape, generator=generator) for shape in noted.shapes]))
    assert torch.equal(found, expected)


def test_the_generators_of_torch():
    like = torch.zeros(1)
    generator = torch.Generator().manual_seed(3)
    assert torch.equal(uniform((2, 3), like, generator), torch.rand(2, 3, generator=generator.manual_seed(3)))
    torch.manual_seed(4)
    drawn = uniform((2, 3), like, None)
    torch.manual_seed(4)
    assert torch.equal(drawn, torch.rand(2, 3))


def test_other_numbers_than_were_drawn():
    given = Given([torch.zeros(2)])
    with pytest.raises(ValueError, match=r"\(3,\) is asked for, but the next numbers are of \(2,\)"):
        given.draw((3,))
    with pytest.raises(ValueError, match="none are left"):
        given.draw((2,))
