"""A plain network as an ONNX graph; needs the packages of ``hyperbudget[onnx]``."""

from __future__ import annotations

import importlib.util
import logging
import warnings

import torch

from hyperbudget.errors import UserError
from hyperbudget.nn.export.metadata import KEY, Metadata
from hyperbudget.nn.image_model import ImageModel


def onnx_bytes(model: ImageModel, metadata: Metadata) -> bytes:
    """A file with one input ``images``, (batch, channels, size, size), and one output ``logits``, (batch, classes).

    `model` has free kernels; the graph is that of evaluation, and the batch may have any size. Raises UserError when
    the packages are not installed.
    """
    if importlib.util.find_spec("onnxscript") is None:
        raise UserError("onnx: needs further packages; install them with: pip install 'hyperbudget[onnx]'")
    training = model.training
    channels, size = metadata.shape["channels"], metadata.shape["size"]
    images = torch.zeros(2, channels, size, size)  # 2: a batch of 1 would stay 1 for ever
    log = logging.getLogger("torch.onnx")
    level = log.level
    try:
        log.setLevel(logging.ERROR)  # it warns of packages that these networks do not use
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model.cpu().eval(),
                (images,),
                dynamo=True,
                verbose=False,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            )
    finally:
        log.setLevel(level)
        model.train(training)
    assert program is not None
    graph = program.model_proto
    for part in (*graph.graph.node, *graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        del part.metadata_props[:]  # stack traces with the paths of this machine
    graph.metadata_props.add(key=KEY, value=metadata.to_json())
    return bytes(graph.SerializeToString(deterministic=True))
