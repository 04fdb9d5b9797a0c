"""A stand-in for CUDA graphs on a CPU."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Recorder(TorchDispatchMode):
    """A `train.graph.Graph` that records what PyTorch's operators are called with, and calls them so again.

    As with a CUDA graph, what is no tensor keeps the value that it had in the capture, and tensors stay where they
    were: what does not come in by memory, and go out by memory, is stale. A capture changes nothing that was there
    before, and fails where a tensor is made of a list in Python, which would have to be copied to a GPU. generator:
    what random numbers are drawn from.
    """

    def __init__(self, generator):
        super().__init__()
        self.generator, self.calls = generator, []
        self.warmed_up = self.captured = self.replayed = 0

    def warm_up(self, launch):
        self.warmed_up += 1
        launch()

    def capture(self, launch):
        self.captured += 1
        self.before, self.made = {}, set()
        drawn = self.generator.get_state()
        with self:
            launch()
        for tensor, content in self.before.values():
            tensor.untyped_storage().copy_(content)
        self.generator.set_state(drawn)

    def replay(self):
        self.replayed += 1
        with torch._C._AutoDispatchBelowAutograd():
            for function, args, kwargs, results in self.calls:
                again = tensors(function(*args, **kwargs))
                for result, value in zip(results, again, strict=bool(results)):  # none where it writes to its arguments
                    result.copy_(value)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.lift_fresh.default and args[0].dim():  # a single number is no copy
            raise RuntimeError("a list in Python cannot be copied to a GPU in a capture")
        kwargs = kwargs or {}
        written = [
            tensor
            for argument, value in zip(function._schema.arguments, padded(function, args, kwargs), strict=True)
            if argument.alias_info is not None and argument.alias_info.is_write
            for tensor in tensors(value)
        ]
        for tensor in written:
            place = tensor.untyped_storage().data_ptr()
            if place not in self.made and place not in self.before:
                self.before[place] = tensor, tensor.untyped_storage().clone()
        results = function(*args, **kwargs)
        if written:
            self.calls.append((function, args, kwargs, []))
        elif all(returned.alias_info is None for returned in function._schema.returns):  # no view of another tensor
            found = tensors(results)
            self.made |= {tensor.untyped_storage().data_ptr() for tensor in found}
            self.calls.append((function, args, kwargs, found))
        return results


def tensors(values):
    return [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]


def padded(function, args, kwargs):
    """The value of each argument in the function's schema, given by position or by name or not at all."""
    rest = function._schema.arguments[len(args) :]
    return [*args, *(kwargs.get(argument.name) for argument in rest)]
