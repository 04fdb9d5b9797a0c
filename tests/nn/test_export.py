"""Baking and export: every family in every network gives the same logits afterwards, and files say what is wrong."""

import dataclasses
import json
import struct

import pytest
import torch

from hyperbudget.errors import UserError
from hyperbudget.nn.build import build
from hyperbudget.nn.export import FORMATS, Metadata, bake, load_export, onnx_graph, write_export
from hyperbudget.nn.networks import IMAGES
from hyperbudget.nn.sources import FreeKernels
from hyperbudget.nn.spec import (
    KERNELS,
    ConvNet,
    Coordinate,
    Dct,
    Free,
    Hashed,
    Hyper,
    LowRank,
    Mlp,
    ModelSpec,
    ResNet,
    Shared,
    WideResNet,
)

FAMILY_EXAMPLES = [
    Free(), Shared("all"), Hyper(3, basic_in=1, basic_out=8), LowRank(2), Dct(0.1), Coordinate(6, 2, "sin"), Hashed(90),
]  # fmt: skip
NETWORK_EXAMPLES = [ConvNet(8, 5), Mlp(16, 12, 3), ResNet(4, 8, 2), WideResNet(10, 1), WideResNet(10, 1, "standard")]
MODELS = [ModelSpec(network, family) for network in NETWORK_EXAMPLES for family in FAMILY_EXAMPLES]
SIZE = {"channels": 3, "size": 12, "classes": 7}
SMALL = ModelSpec(ConvNet(16, 5), Hyper(2))


def trained(spec):
    """A model in which every number differs from its initial one, running statistics included."""
    torch.manual_seed(0)
    model = build(spec, **SIZE).to(memory_format=torch.channels_last)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    model(torch.rand(8, 3, 12, 12))
    return model.eval()


def metadata(spec, form="compact", **more):
    return Metadata(form=form, model=spec.fields(), **SIZE, **more)


def images():
    return torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def small(tmp_path):
    """A good compact file of `SMALL`."""
    write_export(trained(SMALL), metadata(SMALL), tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


def refused(path):
    with pytest.raises(UserError) as caught:
        load_export(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_the_examples_are_all_there_is():
    assert {spec.family.name for spec in MODELS} == set(KERNELS)
    assert {spec.network.name for spec in MODELS} == set(IMAGES)


@pytest.mark.parametrize("spec", MODELS, ids=str)
class TestEveryModel:
    def test_baked_gives_the_same_logits(self, spec):
        model = trained(spec)
        baked = bake(model)
        assert isinstance(baked.source, FreeKernels)
        assert torch.equal(baked(images()), model(images()))

    @pytest.mark.parametrize("form", ["compact", "baked"])
    @pytest.mark.parametrize("format", ["safetensors", "torch"])
    def test_round_trip(self, spec, form, format, tmp_path):
        model, file = trained(spec), tmp_path / "file"
        size = write_export(model, metadata(spec, form), file, format)
        assert size == file.stat().st_size
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
        random = torch.random.get_rng_state()
        read, told = load_export(file)
        assert torch.equal(torch.random.get_rng_state(), random)
        assert told == metadata(spec, form)
        assert not read.training
        assert isinstance(read.source, type(model.source) if form == "compact" else FreeKernels)
        # Row-major files, while training is channels last: a convolution may then sum in another order.
        torch.testing.assert_close(read(images()), model(images()), rtol=1e-5, atol=1e-5)
        stored = model.state_dict() if form == "compact" else bake(model).state_dict()
        assert all(torch.equal(value, stored[name]) for name, value in read.state_dict().items())


class TestBake:
    @pytest.mark.parametrize("training", [True, False])
    def test_is_a_copy_in_the_same_mode_and_type(self, training):
        model = trained(SMALL).double().train(training)
        random = torch.random.get_rng_state()
        baked = bake(model)
        assert torch.equal(torch.random.get_rng_state(), random)
        assert {module.training for module in baked.modules()} == {training}
        assert torch.equal(baked(images().double()), model(images().double()))
        addresses = {parameter.data_ptr() for parameter in model.parameters()}
        assert not addresses & {parameter.data_ptr() for parameter in baked.parameters()}
        assert not isinstance(model.source, FreeKernels)

    def test_tied_kernels_are_no_longer_tied(self):
        baked = bake(trained(ModelSpec(ResNet(4, 8, 1), Shared())))
        assert len({weight.data_ptr() for weight in baked.source()}) == 4

    def test_can_be_trained_on(self):
        baked = bake(trained(SMALL)).train()
        baked(images()).square().sum().backward()
        assert all(parameter.grad is not None for parameter in baked.parameters())


class TestSize:
    def test_compact_is_what_was_learnt_and_baked_what_is_used(self, tmp_path):
        spec = ModelSpec(WideResNet(16, 1), Hyper(8))
        model = trained(spec)
        compact, baked = (write_export(model, metadata(spec, form), tmp_path / form) for form in ("compact", "baked"))
        learnt = sum(parameter.numel() for parameter in model.parameters())
        plain = sum(parameter.numel() for parameter in bake(model).parameters())
        assert 4 * learnt < compact < 4 * learnt + 12_000  # running statistics, names and metadata
        assert 4 * plain < baked < 4 * plain + 12_000
        assert compact < baked / 4

    def test_the_same_model_gives_the_same_bytes(self, tmp_path):
        for format in ("safetensors", "torch"):
            for name in ("a", "b"):
                write_export(trained(SMALL), metadata(SMALL), tmp_path / name, format)
            assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class TestMetadata:
    FULL = metadata(
        SMALL, "baked", mean=(125.3, 122.95, 113.9), deviation=(63.0, 62.1, 66.7), task="cifar10", run="012345",
        training={"steps": 10, "milestones": [0.5], "clip_norm": None}, seed=3, validation_error=0.1, test_error=1 / 3,
        data_digest="12",
    )  # fmt: skip

    @pytest.mark.parametrize("format", ["safetensors", "torch"])
    def test_all_of_it_comes_back(self, format, tmp_path):
        write_export(trained(SMALL), self.FULL, tmp_path / "x", format)
        assert load_export(tmp_path / "x")[1] == self.FULL

    def test_other_programs_can_read_it(self, tmp_path):
        """The header of safetensors, by its specification."""
        write_export(trained(SMALL), self.FULL, tmp_path / "x")
        content = (tmp_path / "x").read_bytes()
        header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
        text = json.loads(header["__metadata__"]["hyperbudget"])
        assert text["form"] == "baked"
        assert text["format_version"] == 1
        assert text["model"]["family"] == "hyper"
        assert text["mean"] == [125.3, 122.95, 113.9]
        assert text["input"] == (
            "float32, shape (batch, 3, 12, 12): (pixel - mean) / deviation by channel, of pixels 0 ... 255"
        )
        assert header["source.weights.0"]["shape"] == [16, 16, 5, 5]

    def test_images_without_normalisation(self):
        assert metadata(SMALL).input == "float32, shape (batch, 3, 12, 12): values in [0, 1]"

    def test_names_of_later_versions_are_ignored(self):
        assert Metadata.from_json(json.dumps({**json.loads(self.FULL.to_json()), "licence": "none"})) == self.FULL


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("format", ["safetensors", "torch"])
    @pytest.mark.parametrize("kept", [0, 4, 9, 100, 0.5, 0.99])
    def test_truncated(self, format, kept, tmp_path):
        file = tmp_path / "cut"
        write_export(trained(SMALL), metadata(SMALL), file, format)
        content = file.read_bytes()
        file.write_bytes(content[: kept if kept >= 1 else int(kept * len(content))])
        message = refused(file)
        assert "damaged" in message
        assert "write it again with: hyperbudget export" in message

    def test_missing_or_a_folder(self, tmp_path):
        assert refused(tmp_path / "none.pt") == "cannot be read: No such file or directory"
        assert refused(tmp_path) == "cannot be read: Is a directory"

    def test_another_programs(self, tmp_path):
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(2)}, tmp_path / "bare.safetensors")
        assert "has no metadata" in refused(tmp_path / "bare.safetensors")
        save_file({"x": torch.zeros(2)}, tmp_path / "theirs.safetensors", {"format": "pt"})
        assert "has no metadata" in refused(tmp_path / "theirs.safetensors")
        torch.save(trained(SMALL).state_dict(), tmp_path / "model.pt")
        assert "has no metadata" in refused(tmp_path / "model.pt")
        torch.save([1, 2], tmp_path / "list.pt")
        assert "has no metadata" in refused(tmp_path / "list.pt")
        (tmp_path / "text.pt").write_text("once upon a time")
        assert "neither a safetensors nor a torch file" in refused(tmp_path / "text.pt")

    def test_code_is_not_run(self, tmp_path):
        torch.save({"hyperbudget": print, "state": {}}, tmp_path / "code.pt")
        assert "damaged, or no file of hyperbudget export" in refused(tmp_path / "code.pt")

    def test_onnx(self, tmp_path):
        (tmp_path / "x.onnx").write_bytes(b"\x08\x0a\x12\x07pytorch")
        assert "an ONNX file is not read back" in refused(tmp_path / "x.onnx")

    def test_tensors_of_another_model(self, tmp_path):
        for other, difference in (
            (ModelSpec(ConvNet(16, 5), Hyper(3)), "has shape"),
            (ModelSpec(ConvNet(16, 5), Free()), "source.weights.0 is missing"),
        ):
            write_export(trained(SMALL), metadata(other), tmp_path / "x")
            message = refused(tmp_path / "x")
            assert message.startswith("its tensors are another model's than its metadata say: ")
            assert difference in message
        more = trained(SMALL)
        more.register_buffer("more", torch.zeros(1))
        write_export(more, metadata(SMALL), tmp_path / "x")
        assert "more is not one of its tensors" in refused(tmp_path / "x")

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("format_version", 2, "newer than"),
            ("format_version", "first", "its metadata are not an exported model's"),
            ("form", "boiled", "form 'boiled' is neither compact nor baked"),
            ("channels", 0, "channels is 0, not a positive integer"),
            ("classes", "ten", "classes is 'ten', not a positive integer"),
            ("model", {}, "network: None is not one of convnet"),
            ("model", {"network": "convnet", "family": "free", "width": "16"}, "its metadata are no model's"),
            ("model", {"network": "mlp", "family": "free"}, "its metadata are no model's"),
            ("model", "[", "its metadata are not an exported model's"),
            ("mean", 3, "its metadata are not an exported model's"),
        ],
    )
    def test_metadata_that_cannot_be(self, small, name, value, message):
        from safetensors.torch import load_file, save_file

        fields = {**json.loads(metadata(SMALL).to_json()), name: value}
        save_file(load_file(small), small, {"hyperbudget": json.dumps(fields)})
        assert message in refused(small)

    def test_metadata_that_are_no_mapping(self, small):
        from safetensors.torch import load_file, save_file

        for text in ("", "[]", "null", "{"):
            save_file(load_file(small), small, {"hyperbudget": text})
            assert "its metadata are not an exported model's" in refused(small)


class TestWhatCannotBeWritten:
    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(UserError, match="none/x: cannot be written: No such file or directory"):
            write_export(trained(SMALL), metadata(SMALL), tmp_path / "none" / "x")

    def test_compact_onnx(self, tmp_path):
        with pytest.raises(UserError, match="onnx: holds plain networks only; use the form baked"):
            write_export(trained(SMALL), metadata(SMALL), tmp_path / "x", "onnx")

    def test_onnx_without_its_packages(self, tmp_path, monkeypatch):
        monkeypatch.setattr(onnx_graph.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UserError, match=r"pip install 'hyperbudget\[onnx\]'"):
            write_export(trained(SMALL), metadata(SMALL, "baked"), tmp_path / "x", "onnx")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("network", [network for network in NETWORK_EXAMPLES if network.name != "resnet"], ids=str)
def test_onnxruntime_gives_the_same_logits(network, tmp_path, capfd):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    spec = ModelSpec(network, Hyper(3, basic_in=1, basic_out=8))
    model, told = trained(spec).train(), dataclasses.replace(TestMetadata.FULL, model=spec.fields())
    size = write_export(model, told, tmp_path / "x.onnx", "onnx")
    assert model.training
    assert size == (tmp_path / "x.onnx").stat().st_size
    assert capfd.readouterr() == ("", "")
    assert str(tmp_path.home()).encode() not in (tmp_path / "x.onnx").read_bytes()
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx", providers=["CPUExecutionProvider"])
    assert Metadata.from_json(session.get_modelmeta().custom_metadata_map["hyperbudget"]) == told
    for batch in (1, 4):
        (logits,) = session.run(["logits"], {"images": images()[:batch].numpy()})
        torch.testing.assert_close(torch.from_numpy(logits), model.eval()(images()[:batch]), rtol=1e-4, atol=1e-4)


def test_formats_end_differently():
    assert len(set(FORMATS.values())) == 3
