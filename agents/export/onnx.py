"""A plan (``agents.export.plan``) as an ONNX graph, built node by node with ``onnx.helper``: no tracing, no torch.

The package onnx is the optional extra ``export``. The operators are those of opset 17, which current runtimes support.
Operators: https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.export.plan import Plan
from agents.policy import SLACK, PolicyError

OPSET = 17
IR_VERSION = 8
TINY = 1e-300


def to_onnx(one: Plan) -> bytes:
    """The bytes of a checked ONNX model.

    Inputs: ``observation`` float32 [N, *shape] and ``legal`` bool [N, A]. Output: ``probabilities`` float64 [N, A].

    Args:
        one: the plan of a seat.

    Raises:
        PolicyError: The package onnx is not installed.
    """
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError as error:
        raise PolicyError("ONNX files need the package onnx; pip install nashmail[export]") from error
    graph = _Graph()
    graph.probabilities(one)
    inputs = [
        helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["N", *one.observation]),
        helper.make_tensor_value_info("legal", TensorProto.BOOL, ["N", one.actions]),
    ]
    output = helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["N", one.actions])
    made = helper.make_graph(graph.nodes, f"{one.game} seat {one.seat}", inputs, [output], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="nashmail")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


class _Graph:
    """The nodes and constants of a graph. Methods add to it and return the name of a value."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, dtype=np.float64))

    def axes(self, *values: int) -> str:
        return self.constant(np.array(values, dtype=np.int64))

    def cast(self, value: str, kind: str) -> str:
        from onnx import TensorProto

        return self.node("Cast", value, to=getattr(TensorProto, kind))

    # --- the policy ------------------------------------------------------------------------------------

    def probabilities(self, one: Plan) -> None:
        """Add the whole policy, from the inputs to the output."""
        if one.symmetry is None:
            result = self.query(one, "observation", "legal")
        else:
            observation, which = self.canonical(one)
            to = self.node("Gather", self.constant(one.symmetry.forward), which, axis=0)
            back = self.node("Gather", self.constant(np.argsort(one.symmetry.forward, axis=1)), which, axis=0)
            moved = self.cast(self.node("GatherElements", self.cast("legal", "INT64"), back, axis=1), "BOOL")
            result = self.node("GatherElements", self.query(one, observation, moved), to, axis=1)
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [result], ["probabilities"]))

    def query(self, one: Plan, observation: str, legal: str) -> str:
        rows = (
            self.table(one, observation, legal)
            if one.kind == "table"
            else self.softmax(self.logits(one, observation, legal), legal)
        )
        for word, temperature in one.then:
            top = self.node("ReduceMax", rows, axes=[1], keepdims=1)
            if word == "greedy":
                likely = self.node("Greater", rows, self.number(0.0))
                near = self.node("GreaterOrEqual", rows, self.node("Mul", top, self.number(1.0 - SLACK)))
                best = self.node("And", near, likely)
                place = self.node("CumSum", self.cast(best, "INT64"), self.constant(np.array(1, dtype=np.int64)))
                first = self.node("Equal", place, self.constant(np.array(1, dtype=np.int64)))
                rows = self.cast(self.node("And", best, first), "DOUBLE")
            else:
                share = self.node("Div", rows, self.node("Max", top, self.number(TINY)))
                rows = self.shares(self.node("Pow", share, self.number(1.0 / temperature)))
        return rows

    def logits(self, one: Plan, rows: str, legal: str) -> str:
        """[N, A] in double precision; equal logits if there are no layers."""
        if not one.layers:
            return self.cast(legal, "DOUBLE")
        rows = self.cast(rows, "DOUBLE")
        for index, layer in enumerate(one.layers):
            if layer == "relu":
                rows = self.node("Relu", rows)
            elif layer == "flatten":
                rows = self.node("Flatten", rows, axis=1)
            elif layer == "linear":
                weight, bias = (self.double(one.arrays[f"{index}.{part}"]) for part in ("weight", "bias"))
                rows = self.node("Gemm", rows, weight, bias, transB=1)
            elif layer == "conv":
                rows = self.convolved(one, rows, f"{index}")
            else:
                inner = self.node("Relu", self.convolved(one, rows, f"{index}.first"))
                rows = self.node("Relu", self.node("Add", rows, self.convolved(one, inner, f"{index}.second")))
        return rows

    def double(self, array: NDArray[Any]) -> str:
        """A constant in double precision, stored in its own precision."""
        return self.cast(self.constant(array), "DOUBLE")

    def convolved(self, one: Plan, planes: str, layer: str) -> str:
        """A 3 x 3 convolution with zero padding, as a matrix product: ONNX Runtime has no Conv for doubles."""
        weight, bias = one.arrays[f"{layer}.weight"], one.arrays[f"{layer}.bias"]
        filters, channels = weight.shape[:2]
        _, height, width = one.observation
        cells = np.full((channels, height + 2, width + 2), channels * height * width)  # padding: index of a zero
        cells[:, 1:-1, 1:-1] = np.arange(channels * height * width).reshape(channels, height, width)
        windows = np.lib.stride_tricks.sliding_window_view(cells, (3, 3), axis=(1, 2))  # [C, height, width, 3, 3]
        wanted = windows.transpose(1, 2, 0, 3, 4).reshape(height * width, channels * 9)
        flat = self.node("Pad", self.node("Flatten", planes, axis=1), self.axes(0, 0, 0, 1), self.number(0.0))
        seen = self.node("Gather", flat, self.constant(wanted.astype(np.int64)), axis=1)  # [N, cells, 9 C]
        sums = self.node("MatMul", seen, self.double(weight.reshape(filters, -1).T))
        turned = self.node("Transpose", self.node("Add", sums, self.double(bias)), perm=[0, 2, 1])
        return self.node("Reshape", turned, self.axes(0, filters, height, width))

    def softmax(self, logits: str, legal: str) -> str:
        """Softmax over the legal actions; rows without one are 0."""
        masked = self.node("Where", legal, logits, self.number(-1e300))
        below = self.node("Sub", masked, self.node("ReduceMax", masked, axes=[1], keepdims=1))
        return self.shares(self.node("Where", legal, self.node("Exp", below), self.number(0.0)))

    def shares(self, weights: str) -> str:
        """Weights divided by their sum."""
        total = self.node("ReduceSum", weights, self.axes(1), keepdims=1)
        return self.node("Div", weights, self.node("Max", total, self.number(TINY)))

    # --- positions -------------------------------------------------------------------------------------

    def words(self, flat: str, bits: str) -> tuple[str, str]:
        """[N] own stones and all stones of flat planes [N, 2, cells], int64."""
        both = self.node("ReduceSum", self.node("Mul", flat, bits), self.axes(2), keepdims=0)  # [N, 2]
        own = self.node("Gather", both, self.constant(np.array(0, dtype=np.int64)), axis=1)
        return own, self.node("ReduceSum", both, self.axes(1), keepdims=0)

    def flat(self, observation: str, cells: int) -> str:
        """[N, 2, cells] int64 of planes."""
        zero = self.constant(np.array(0.0, dtype=np.float32))
        stones = self.cast(self.node("Greater", observation, zero), "INT64")
        return self.node("Reshape", stones, self.axes(0, 2, cells))  # explicit: -1 is undefined for zero rows

    def canonical(self, one: Plan) -> tuple[str, str]:
        """The canonical (smallest) image of every board as planes, and the symmetry [N] that maps to it."""
        assert one.symmetry is not None and one.bits is not None  # checked by the caller
        bits, flat = self.constant(one.bits), self.flat("observation", len(one.bits))
        best, (own, stones) = flat, self.words(flat, bits)
        which = self.node("Sub", own, own)  # zeros
        for g, source in enumerate(one.symmetry.source[1:], start=1):
            image = self.node("Gather", flat, self.constant(source), axis=2)
            image_own, image_stones = self.words(image, bits)
            tied = self.node("And", self.node("Equal", image_own, own), self.node("Less", image_stones, stones))
            less = self.node("Or", self.node("Less", image_own, own), tied)
            best = self.node("Where", self.node("Unsqueeze", less, self.axes(1, 2)), image, best)
            own, stones = self.node("Where", less, image_own, own), self.node("Where", less, image_stones, stones)
            which = self.node("Where", less, self.constant(np.array(g, dtype=np.int64)), which)
        planes = self.node("Reshape", self.cast(best, "FLOAT"), self.axes(0, *one.observation))
        return planes, which

    def table(self, one: Plan, observation: str, legal: str) -> str:
        """The rows of known positions; uniform over legal actions elsewhere."""
        assert one.bits is not None  # tables are for boards
        own, stones = self.words(self.flat(observation, len(one.bits)), self.constant(one.bits))
        column = self.axes(1)
        match = self.node(
            "And",
            self.node("Equal", self.node("Unsqueeze", own, column), self.constant(one.arrays["keys"][:, 0])),
            self.node("Equal", self.node("Unsqueeze", stones, column), self.constant(one.arrays["keys"][:, 1])),
        )
        hits = self.cast(match, "FLOAT")
        row = self.node("ArgMax", hits, axis=1, keepdims=0)
        mask = self.cast(legal, "DOUBLE")
        hit = self.node("ReduceMax", hits, axes=[1], keepdims=1)
        known = self.node("Greater", hit, self.constant(np.array(0.0, dtype=np.float32)))
        rows = self.node("Mul", self.node("Gather", self.constant(one.arrays["table"]), row, axis=0), mask)
        return self.node("Where", known, rows, self.shares(mask))
