"""The pictures of a run, on kernels as they are at step 0."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from hyperbudget.figures.embeddings import STYLES, embedding_map, places
from hyperbudget.figures.heading import run_styles
from hyperbudget.figures.kernels import DIVERGING, LEAST, kernel_pictures, panel
from hyperbudget.figures.picture import save
from hyperbudget.figures.similarity import similarity_matrices
from hyperbudget.figures.spectra import singular_value_spectra
from hyperbudget.nn.sources import HyperKernels, build_source
from hyperbudget.nn.spec import ConvNet, Free, Hyper, LowRank, Mlp, ResNet, Shared, WideResNet
from hyperbudget.study.results.kernels import Kernels

WORDS = "run 0123456789abcdef, wrn depth 40 width 1, hyper N_z 64 d 64 in 16 out 16, on mnist: test error 12.34%"
FIGURES = (kernel_pictures, similarity_matrices, singular_value_spectra, embedding_map)


def initial(network, family, run="a"):
    """The kernels of `network` from `family`, at step 0."""
    torch.manual_seed(0)
    source = build_source(family, network.kernel_shapes())
    with torch.no_grad():
        arrays = [kernel.double().numpy() for kernel in source()]
    embeddings = source.embeddings.detach().double().numpy() if isinstance(source, HyperKernels) else None
    return Kernels(run, WORDS, family, arrays, embeddings)


def paper():
    return {"hyper": initial(ConvNet(), Hyper(8, 4)), "free": initial(ConvNet(), Free(), "b")}


def deep(depth=40, **settings):
    return {"hyper": initial(WideResNet(depth, 1), Hyper(64, **settings))}


def tied():
    return {"shared": initial(WideResNet(10, 1), Shared("all")), "free": initial(WideResNet(10, 1), Free(), "b")}


def small(*sizes):
    network = ResNet(4, 8, 2)
    return {f"hyper N_z {n}": initial(network, Hyper(n, basic_in=4, basic_out=4), str(n)) for n in sizes}


def dense():
    return {"hyper": initial(Mlp(), Hyper(8, basic_in=1)), "free": initial(Mlp(), Free(), "b")}


CASES = [paper, deep, tied, lambda: small(1), lambda: small(2, 5), dense]


def axes(figure):
    return {ax.get_label(): ax for ax in figure.axes}


def unseen(figure):
    """The labels of ticks beyond the ends of their axes: they are there, but not drawn."""
    found = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            beyond = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high or not ax.axison]
            found |= {text for tick in beyond for text in (tick.label1, tick.label2)}
    return found


@pytest.mark.parametrize("make", CASES)
@pytest.mark.parametrize("draw", FIGURES)
def test_text_does_not_overlap(draw, make):
    figure = draw(make())
    if figure is None:
        return
    FigureCanvasAgg(figure).draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.findobj(Text) if text not in unseen(figure)]
    boxes = [(text, box) for text, box in boxes if text]
    for i, (one, a) in enumerate(boxes):
        assert -1 < a.x0 < a.x1 < figure.bbox.width + 1, one
        assert -1 < a.y0 < a.y1 < figure.bbox.height + 1, one
        for other, b in boxes[i + 1 :]:
            overlap = min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
            assert not overlap, (one, other)


@pytest.mark.parametrize(
    ("draw", "ending"), [*((draw, "png") for draw in FIGURES), (FIGURES[0], "svg"), (FIGURES[1], "pdf")]
)
def test_a_file_has_the_same_bytes_twice(draw, ending, tmp_path):
    files = [tmp_path / f"{number}.{ending}" for number in range(2)]
    for file in files:
        save(draw(small(2, 5)), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending])


def test_figures_need_no_torch():
    code = (
        "import sys, hyperbudget.figures.kernels, hyperbudget.figures.similarity, hyperbudget.figures.spectra, "
        "hyperbudget.figures.embeddings; assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestKernels:
    def test_every_pixel_of_the_papers_kernel(self, tmp_path):
        """The file holds the mosaic pixel by pixel."""
        runs = paper()
        figure = kernel_pictures(runs)
        assert set(axes(figure)) == {"scale", "1 hyper", "1 free"}
        save(figure, tmp_path / "x.png")
        page = imread(tmp_path / "x.png")
        for name in runs:
            ax = axes(figure)[f"1 {name}"]
            drawn = panel(runs[name].arrays[0], None, (16, 16), 840)
            box = ax.get_position()
            left, top = round(box.x0 * page.shape[1]), round((1 - box.y1) * page.shape[0])
            high, wide = drawn.image.shape
            shown = page[top : top + high, left : left + wide]
            wanted = DIVERGING(Normalize(-drawn.scale, drawn.scale)(np.ma.masked_invalid(drawn.image)), bytes=True)
            assert np.abs(shown[..., :3] * 255 - wanted[..., :3]).max() <= 1

    def test_lines_are_where_the_tiles_end(self):
        kernel = np.zeros((8, 12, 3, 3))
        drawn = panel(kernel, (4, 8), (4, 8), 440)
        assert drawn.columns == []
        gaps = np.split(np.isnan(drawn.image[:, 0]).nonzero()[0], 11)  # 11 gaps between 12 channels
        assert drawn.rows == [gaps[3].mean(), gaps[7].mean()]
        figure = kernel_pictures(deep(10))
        assert [len(ax.lines) for name, ax in axes(figure).items() if name != "scale"] == [0, 0, 1, 2, 2, 2]

    def test_large_kernels_are_cut_and_it_is_said(self):
        drawn = panel(np.ones((100, 70, 3, 3)), None, (16, 16), 320)
        assert drawn.cut == "first 32 x 32"
        assert max(drawn.image.shape) <= 320
        assert panel(np.ones((100, 16, 3, 3)), None, (16, 16), 320).cut == "first 16 x 32"
        assert panel(np.ones((32, 32, 3, 3)), None, (16, 16), 320).cut == ""
        assert panel(np.ones((100, 100, 7, 7)), None, (64, 64), 320).cut == f"first {321 // 22} x {321 // 22}"
        texts = [text.get_text() for text in kernel_pictures(deep()).texts]
        assert sum("first 32 x 32" in text for text in texts) == 12

    def test_filters_as_large_as_images(self):
        """Figure 8 of the paper: 16 x 16 of them."""
        kernel = np.random.default_rng(0).standard_normal((256, 1, 28, 28))
        drawn = panel(kernel, None, (1, 16), 840)
        assert drawn.image.shape == (16 * (28 * LEAST + 1) - 1,) * 2
        assert drawn.image[85 * 2 + 1, 85 * 3] == kernel[2 * 16 + 3, 0, 0, 0]
        assert drawn.cut == ""
        assert panel(np.ones((300, 1, 9, 9)), None, (1, 1), 840).cut == "first 256 filters"
        coloured = panel(np.ones((300, 3, 32, 32)), None, (1, 1), 840)
        assert coloured.cut == "first 85 filters"
        assert coloured.image.shape[1] == 15 * (32 * LEAST + 1) - 1

    def test_scale(self):
        assert panel(np.zeros((2, 2, 3, 3)), None, (1, 1), 320).scale == 1
        assert panel(np.full((2, 2, 3, 3), -2.0), None, (1, 1), 320).scale == 2
        one = np.zeros((20, 20, 3, 3))
        one[0, 0, 0, 0] = 3
        assert panel(one, None, (1, 1), 320).scale == 3

    def test_a_panel_a_kernel_and_run(self):
        assert len(kernel_pictures(deep()).axes) == 37
        assert len(kernel_pictures(tied()).axes) == 13
        wide, high = kernel_pictures(deep() | {"free": initial(WideResNet(40, 1), Free())}).get_size_inches()
        assert wide < 16
        assert high < 20


class TestSimilarity:
    def test_measured_below_and_chance_above_the_diagonal(self):
        figure = similarity_matrices(tied())
        assert set(axes(figure)) == {"shared", "free", "scale"}
        shown = axes(figure)["shared"].images[0].get_array()
        assert shown.shape == (6, 6)
        assert shown[1, 0] == pytest.approx(1)  # both are the same kernel
        assert shown[0, 1] == pytest.approx(1 / math.sqrt(16 * 16 * 9))
        assert shown.mask.diagonal().all() or np.isnan(shown.data.diagonal()).all()
        free = axes(figure)["free"].images[0].get_array()
        assert free.max() < 0.2
        assert axes(figure)["free"].get_xlabel() == "kernel"

    def test_the_single_kernel_of_the_paper_slice_by_slice(self):
        figure = similarity_matrices(paper())
        hyper = axes(figure)["hyper"]
        assert hyper.images[0].get_array().shape == (16, 16)
        assert hyper.get_ylabel() == "input slice"
        assert any("in its 5 dimensions" in text.get_text() for text in hyper.texts)
        assert "|cosine| between input slices" in [text.get_text() for text in figure.texts]

    def test_nothing_to_compare(self):
        assert similarity_matrices({"free": Kernels("a", "a", Free(), [np.ones((1, 1, 9, 9))])}) is None
        kernels = [np.ones((2, 2, 3, 3)), np.ones((2, 2, 1, 1))]
        assert similarity_matrices({"free": Kernels("a", "a", Free(), kernels)}) is None


class TestSpectra:
    def test_of_the_paper(self):
        figure = singular_value_spectra(paper())
        assert set(axes(figure)) == {"filters", "input slices"}
        slices = axes(figure)["input slices"]
        assert slices.get_xlabel() == "number of the singular value"
        bounds = [line for line in slices.lines if len(set(line.get_xdata())) == 1]
        assert [line.get_xdata()[0] for line in bounds] == [5]
        (said,) = [text.get_text() for text in slices.texts]
        assert "of 5, free" in said
        assert said.endswith("of 16")

    def test_of_many_kernels(self):
        found = axes(singular_value_spectra(deep()))
        assert set(found) == {"filters", "filters: rank", "input slices", "input slices: rank", "all tiles"}
        (said,) = [text.get_text() for text in found["all tiles"].texts]
        assert said.endswith("of 65")
        assert found["filters: rank"].get_ylabel() == "effective rank"
        ranks = found["filters: rank"].lines[-1].get_ydata()
        assert len(ranks) == 36
        assert all(1 < rank < 64 for rank in ranks)

    def test_slices_need_several_input_channels(self):
        assert set(axes(singular_value_spectra(dense()))) == {"filters", "all tiles"}
        assert set(axes(singular_value_spectra({"free": dense()["free"]}))) == {"filters"}

    def test_values_that_are_nought_are_left_out(self):
        runs = {"low_rank": initial(ConvNet(), LowRank(3))}
        line = axes(singular_value_spectra(runs))["filters"].lines[0]
        assert len(line.get_ydata()) == 4
        assert line.get_ydata()[3] < 1e-5


class TestEmbeddings:
    def test_one_number_lies_on_a_line_a_kernel(self):
        runs = small(1)
        (ax,) = embedding_map(runs).axes
        marks = [line for line in ax.lines if line.get_marker() not in ("None", None, "")]
        tiles = [1 * 2 * 2, 4, 2 * 4, 16]
        assert [len(line.get_xdata()) for line in marks] == tiles
        assert [set(line.get_ydata()) for line in marks] == [{0}, {-1}, {-2}, {-3}]
        assert np.concatenate([line.get_xdata() for line in marks]) == pytest.approx(
            runs["hyper N_z 1"].embeddings[:, 0]
        )
        assert ax.get_xlabel() == "z"

    def test_two_numbers_as_they_stand_and_more_on_principal_axes(self):
        runs = small(2, 5)
        figure = embedding_map(runs)
        assert axes(figure)["hyper N_z 2"].get_xlabel() == "first number of z"
        assert axes(figure)["hyper N_z 5"].get_ylabel().startswith("second principal axis (")
        assert np.array_equal(places(runs["hyper N_z 2"])[0], runs["hyper N_z 2"].embeddings)
        assert [text.get_text() for text in figure.legends[0].texts] == [f"kernel {n}" for n in (1, 2, 3, 4)]

    def test_many_kernels_are_marked_by_their_group(self):
        figure = embedding_map(deep() | {"free": tied()["free"]})
        assert list(axes(figure)) == ["hyper"]
        assert [text.get_text() for text in figure.legends[0].texts] == [f"{n} output channels" for n in (16, 32, 64)]
        assert len({line.get_marker() for line in figure.axes[0].lines}) == 4
        assert len({line.get_color() for line in figure.legends[0].legend_handles}) == 3

    def test_none(self):
        assert embedding_map(paper()) is None, "a single tile"
        assert embedding_map(tied()) is None
        assert isinstance(embedding_map(dense()), Figure)


def test_styles_of_two_runs():
    styles = run_styles(small(2, 5))
    assert len({style.color for style in styles.values()}) == 2
    assert run_styles(paper())["free"].marker == "o"


def test_no_two_kernels_share_a_mark():
    marks = [(style.color, style.marker) for style in STYLES]
    assert len(set(marks)) == len(marks) == 8
