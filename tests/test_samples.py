"""The same functions take samples of one tensor and of several."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparring.flow import Batch
from sparring.samples import (
    as_float32,
    batch_size,
    concatenate,
    different_rows,
    floats,
    map_floats,
    map_tensors,
    shapes,
    take,
    tensors,
    to_device,
)


def test_equal_rows_count_once_in_any_order() -> None:
    rows = Graph(torch.tensor([0, 1, 0, 0]), torch.tensor([[0.0], [0.0], [0.0], [1.0]]))
    assert different_rows(rows, range(4)) == [0, 1, 3]
    assert different_rows(rows, [3, 2, 1, 0]) == [3, 2, 1] and different_rows(rows, range(4), 2) == [0, 1]


class Graph(NamedTuple):
    atoms: Tensor
    bonds: Tensor


def graph(count: int = 3) -> Graph:
    return Graph(
        torch.arange(count * 2).view(count, 2), torch.linspace(0, 1, count * 4, dtype=torch.float64).view(-1, 4)
    )


def test_batch_size_counts_rows_and_not_fields() -> None:
    assert batch_size(graph(3)) == batch_size(Batch(graph(3))) == 3
    assert batch_size(torch.zeros(5, 2)) == batch_size(np.zeros(5)) == 5


def test_mapping_keeps_the_type_and_none() -> None:
    doubled = map_tensors(lambda part: part * 2, Batch(graph(), None, torch.ones(3)))
    assert isinstance(doubled.real, Graph) and doubled.condition is None
    assert torch.equal(doubled.real.atoms, graph().atoms * 2) and torch.equal(doubled.label, torch.full((3,), 2.0))


def test_several_samples_are_mapped_together() -> None:
    both = map_tensors(torch.add, graph(), graph())
    assert torch.equal(both.atoms, graph().atoms * 2)


def test_integers_are_not_treated_as_floats() -> None:
    assert floats(graph())[0] is not None and len(floats(graph())) == 1
    changed = map_floats(lambda part: part + 1, graph())
    assert torch.equal(changed.atoms, graph().atoms) and torch.equal(changed.bonds, graph().bonds + 1)
    small = map_floats(lambda part: part.bfloat16(), graph())
    assert as_float32(small).bonds.dtype == torch.float32 and as_float32(small).atoms.dtype == torch.int64
    assert as_float32(map_floats(Tensor.double, graph())).bonds.dtype == torch.float64


def test_taking_and_concatenating_rows_round_trips() -> None:
    whole = Batch(graph(5), torch.arange(5), None)
    parts = [take(whole, slice(0, 2)), take(whole, torch.tensor([2, 3, 4]))]
    again = concatenate(parts)
    assert all(torch.equal(one, other) for one, other in zip(tensors(again), tensors(whole), strict=True))
    assert again.label is None and isinstance(again.real, Graph)


def test_arrays_are_concatenated_as_arrays() -> None:
    assert isinstance(concatenate([np.zeros((2, 3)), np.ones((1, 3))]), np.ndarray)


def test_shapes_are_without_the_batch_dimension() -> None:
    assert shapes(graph()) == ((2,), (4,)) and shapes(torch.zeros(2, 3, 4)) == ((3, 4),)


def test_all_tensors_move_to_the_device() -> None:
    assert {part.device.type for part in tensors(to_device(graph(), "meta"))} == {"meta"}
