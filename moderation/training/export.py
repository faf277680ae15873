"""The trained encoder as an int8 ONNX graph, written node by node.

Writing the graph by hand needs no tracing, gives the fused operators that onnxruntime is fast with, and the same bytes
for the same weights. Weights are quantised per column to seven bits: with eight, processors without VNNI would overflow
in sixteen and give other scores.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from moderation.training.encoder import ATTENTION_HEADS, WIDTH

Array = npt.NDArray[np.float32]
FUSED = "com.microsoft"
HIGHEST = 63


class Graph:
    """Nodes and constants as they are added, in order."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: Sequence[str], output: str, domain: str = "", **settings: Any) -> str:
        """One node with one output, whose name comes back."""
        node = helper.make_node(operator, list(inputs), [output], name=output, domain=domain, **settings)
        self.nodes.append(node)
        return output

    def linear(self, name: str, source: str, weight: Array, bias: Array) -> str:
        """source @ weight + bias with int8 weights and activations quantised as they come."""
        whole, scale = quantised(weight)
        inputs = [
            source,
            self.constant(f"{name}.weight", whole),
            self.constant(f"{name}.scale", scale),
            "",
            self.constant(f"{name}.bias", bias),
        ]
        return self.add("DynamicQuantizeMatMul", inputs, name, FUSED)

    def skip_norm(self, name: str, left: str, right: str, weights: Mapping[str, Array], prefix: str) -> str:
        """The norm of a sum, as two operators: the fused one was measured to make the whole graph a quarter slower."""
        gamma = self.constant(f"{name}.gamma", weights[f"{prefix}.weight"])
        beta = self.constant(f"{name}.beta", weights[f"{prefix}.bias"])
        both = self.add("Add", [left, right], f"{name}.sum")
        return self.add("LayerNormalization", [both, gamma, beta], name, axis=-1, epsilon=1e-12)


def quantised(weight: Array) -> tuple[npt.NDArray[np.int8], Array]:
    """A matrix (inputs, outputs) as int8 with one scale a column."""
    scale = np.maximum(np.abs(weight).max(axis=0) / HIGHEST, 1e-12).astype(np.float32)
    return np.round(weight / scale).astype(np.int8), scale


def quantised_rows(table: Array) -> tuple[npt.NDArray[np.int8], Array]:
    """An embedding table as int8 with one scale a row."""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.round(table / scale).astype(np.int8), scale


def write_onnx(state: Mapping[str, Array], path: Path) -> None:
    """Write the encoder's weights, by their names in `encoder.Encoder`, as one self-contained file.

    The graph takes texts of one length, without a mask: a mask slows attention down, and padding is read for nothing.
    """
    graph = Graph()
    hidden = embeddings(graph, state)
    for layer in range(layers_of(state)):
        hidden = block(graph, hidden, state, layer)
    pooled(graph, hidden, state)
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "length"])]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "heads"]),
        helper.make_tensor_value_info("marks", TensorProto.FLOAT, ["batch", "length"]),
    ]
    made = helper.make_graph(graph.nodes, "firstword", inputs, outputs, graph.constants)
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
    onnx.save(helper.make_model(made, opset_imports=versions, ir_version=9, producer_name="firstword"), path)


def layers_of(state: Mapping[str, Array]) -> int:
    """How many layers the encoder has."""
    return len({name.split(".")[1] for name in state if name.startswith("blocks.")})


def embeddings(graph: Graph, state: Mapping[str, Array]) -> str:
    whole, scale = quantised_rows(state["words.weight"])
    rows = graph.add("Gather", [graph.constant("words", whole), "ids"], "words.rows")
    scales = graph.add("Gather", [graph.constant("words.scale", scale), "ids"], "words.scales")
    words = graph.add("Mul", [graph.add("Cast", [rows], "words.float", to=TensorProto.FLOAT), scales], "words.value")
    places = graph.constant("places", state["positions.weight"] + state["kinds.weight"][0])
    shape = graph.add("Shape", ["ids"], "shape", start=1, end=2)
    zero = graph.constant("zero", np.zeros(1, np.int64))
    used = graph.add("Slice", [places, zero, shape, zero], "places.used")
    return graph.skip_norm("embedded", words, used, state, "norm")


def block(graph: Graph, hidden: str, state: Mapping[str, Array], layer: int) -> str:
    """One transformer layer: one product for query, key and value, fused attention, two residual norms."""
    name, prefix = f"layer{layer}", f"blocks.{layer}"
    parts = ("query", "key", "value")
    weight = np.concatenate([state[f"{prefix}.{part}.weight"].T for part in parts], axis=1)
    bias = np.concatenate([state[f"{prefix}.{part}.bias"] for part in parts])
    packed = graph.linear(f"{name}.packed", hidden, weight, bias)
    names = [f"{name}.{part}" for part in parts]
    graph.nodes.append(helper.make_node("Split", [packed], names, name=f"{name}.split", axis=2))
    mixed = graph.add("MultiHeadAttention", names, f"{name}.mixed", FUSED, num_heads=ATTENTION_HEADS)
    attended = graph.linear(f"{name}.attended", mixed, *plain(state, f"{prefix}.attended"))
    middle = graph.skip_norm(f"{name}.middle", attended, hidden, state, f"{prefix}.norm")
    raised = graph.add(
        "Gelu", [graph.linear(f"{name}.up", middle, *plain(state, f"{prefix}.up"))], f"{name}.gelu", FUSED
    )
    lowered = graph.linear(f"{name}.down", raised, *plain(state, f"{prefix}.down"))
    return graph.skip_norm(f"{name}.out", lowered, middle, state, f"{prefix}.last_norm")


def plain(state: Mapping[str, Array], prefix: str) -> tuple[Array, Array]:
    return state[f"{prefix}.weight"].T, state[f"{prefix}.bias"]


def pooled(graph: Graph, hidden: str, state: Mapping[str, Array]) -> None:
    """Mean and maximum over the tokens, and the two sets of heads, in full precision."""
    mean = graph.add("ReduceMean", [hidden], "mean", axes=[1], keepdims=0)
    highest = graph.add("ReduceMax", [hidden], "highest", axes=[1], keepdims=0)
    both = graph.add("Concat", [mean, highest], "pooled", axis=1)
    weight = graph.constant("heads.weight", state["heads.weight"].T)
    bias = graph.constant("heads.bias", state["heads.bias"])
    graph.add("Add", [graph.add("MatMul", [both, weight], "heads.product"), bias], "logits")
    column = graph.constant("tokens.weight", state["tokens.weight"].reshape(WIDTH, 1))
    last = graph.constant("last", np.array([2], np.int64))
    marks = graph.add("Squeeze", [graph.add("MatMul", [hidden, column], "marks.raw"), last], "marks.each")
    graph.add("Add", [marks, graph.constant("tokens.bias", state["tokens.bias"])], "marks")
