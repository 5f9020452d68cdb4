"""What the detector is taught: number tables of overlaps, losses and assignments."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from openplate.datatypes import VEHICLE_LABELS
from openplate.geometry import iou_matrix
from openplate_training.detector_data import Labels, quad_of
from openplate_training.detector_loss import TOP_CELLS, DetectorLoss, assign, box_loss, covers, pairwise_iou
from openplate_training.detector_model import PLATE_CHANNELS, VEHICLE_CHANNELS, VEHICLE_CLASSES, cell_centers

SIZE = 64
CELLS = 8 * 8 + 4 * 4 + 2 * 2
SURE, NOTHING = 12.0, -12.0  # logits


def make_labels(
    plates: tuple[list[float], ...] = (),
    vehicles: tuple[list[float], ...] = (),
    classes: tuple[int, ...] | None = None,
    plate_ignore: tuple[list[float], ...] = (),
    vehicle_ignore: tuple[list[float], ...] = (),
    has_corners: bool = True,
) -> Labels:
    def quads(boxes: tuple[list[float], ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.array([quad_of(box) for box in boxes], np.float32).reshape(-1, 4, 2)

    return Labels(
        plates=quads(plates),
        plate_boxes=quads(plates),
        has_corners=np.full(len(plates), has_corners),
        plate_ignore=quads(plate_ignore),
        vehicles=quads(vehicles),
        vehicle_classes=np.array(classes if classes is not None else [0] * len(vehicles), np.int64),
        vehicle_ignore=quads(vehicle_ignore),
    )


def empty_answers() -> tuple[Tensor, Tensor]:
    """Raw answers for one picture of nothing."""
    plates, vehicles = torch.zeros(1, PLATE_CHANNELS, CELLS), torch.zeros(1, VEHICLE_CHANNELS, CELLS)
    plates[:, 0] = NOTHING
    vehicles[:, :VEHICLE_CLASSES] = NOTHING
    return plates, vehicles


def raw_box(box: list[float], cell: int) -> list[float]:
    """What the network must give in a cell for that box."""
    centers, strides = cell_centers(SIZE, SIZE)
    (x, y), stride = centers[cell].tolist(), float(strides[cell])
    x1, y1, x2, y2 = box
    return [
        ((x1 + x2) / 2 - x) / stride,
        ((y1 + y2) / 2 - y) / stride,
        math.log((x2 - x1) / stride),
        math.log((y2 - y1) / stride),
    ]


def raw_corners(box: list[float], cell: int) -> list[float]:
    centers, strides = cell_centers(SIZE, SIZE)
    return ((torch.tensor(quad_of(box)) - centers[cell]) / strides[cell]).flatten().tolist()


# --- boxes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 0.0),
        ([0, 0, 2, 2], [1, 0, 3, 2], 1 - 1 / 3 + 1 / 13),  # one apart, in a hull of 3 x 2
        ([0, 0, 2, 2], [4, 0, 6, 2], 1 + 16 / 40),  # nothing in common: still tells which way to go
        ([0, 0, 4, 4], [1, 1, 3, 3], 1 - 4 / 16),  # same centre, same shape
    ],
)
def test_box_loss_table(predicted: list[float], true: list[float], expected: float) -> None:
    loss = box_loss(torch.tensor([predicted], dtype=torch.float32), torch.tensor([true], dtype=torch.float32))
    assert loss.tolist() == pytest.approx([expected], abs=1e-6)


def test_box_loss_asks_for_the_shape_too() -> None:
    """Same centre and same IoU: the box of the right shape costs less."""
    true = torch.tensor([[0.0, 0.0, 40.0, 10.0]])
    alike, unlike = torch.tensor([[10.0, 2.5, 30.0, 7.5]]), torch.tensor([[15.0, 0.0, 25.0, 10.0]])
    assert pairwise_iou(alike, true).item() == pytest.approx(pairwise_iou(unlike, true).item())
    angle = math.atan(4) - math.atan(1)
    aspect = 4 / math.pi**2 * angle**2
    assert (box_loss(unlike, true) - box_loss(alike, true)).item() == pytest.approx(
        aspect * aspect / (0.75 + aspect), abs=1e-5
    )


def test_box_loss_of_a_point_is_a_number_with_a_gradient() -> None:
    predicted = torch.tensor([[5.0, 5.0, 5.0, 5.0]], requires_grad=True)
    loss = box_loss(predicted, torch.tensor([[5.0, 5.0, 5.0, 5.0]])).sum()
    torch.autograd.backward(loss)
    assert loss.isfinite()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()


def test_overlaps_are_those_of_serving() -> None:
    random = np.random.default_rng(3)
    a, b = (np.sort(random.uniform(0, 50, (n, 2, 2)), axis=1).reshape(n, 4).astype(np.float32) for n in (7, 5))
    ours = pairwise_iou(torch.from_numpy(a), torch.from_numpy(b))
    np.testing.assert_allclose(ours, iou_matrix(a, b), atol=1e-6)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([10, 10, 30, 20], [True, False, True, False]),
        ([19, 14, 21, 16], [True, False, False, False]),  # taken as 16 x 16
        ([40, 40, 60, 60], [False, False, False, True]),
    ],
)
def test_covers_table(box: list[float], expected: list[bool]) -> None:
    centers = torch.tensor([[20.0, 15.0], [20.0, 30.0], [11.0, 15.0], [50.0, 50.0]])
    assert covers(torch.tensor([box], dtype=torch.float32), centers, least=16.0).tolist() == [expected]


# --- assignment ---------------------------------------------------------------------------------------------------

LINE = torch.tensor([[20.0 * n + 10, 10.0] for n in range(6)])  # centres of six cells, 20 pixels apart


def test_without_objects_no_cell_is_asked() -> None:
    found = assign(torch.full((6,), 0.5), torch.rand(6, 4), torch.zeros(0, 4), LINE)
    assert found.objects.tolist() == [-1] * 6
    assert found.targets.tolist() == [0.0] * 6


def test_cells_inside_are_asked_for_as_much_as_they_fit() -> None:
    """The best cell for the IoU that it has, the others for less; cells outside for nothing, however well they fit."""
    objects = torch.tensor([[0.0, 0.0, 60.0, 20.0]])
    boxes = torch.tensor([[0, 0, 60, 20], [0, 0, 54, 20], [0, 0, 30, 20], [0, 0, 60, 20], [0, 0, 1, 1], [0, 0, 1, 1]])
    found = assign(torch.full((6,), 0.25), boxes.float(), objects, LINE)
    assert found.objects.tolist() == [0, 0, 0, -1, -1, -1]
    assert found.targets.tolist() == pytest.approx([1.0, 0.9**6, 0.5**6, 0, 0, 0], abs=1e-6)


def test_a_higher_score_makes_a_cell_fit_better() -> None:
    objects = torch.tensor([[0.0, 0.0, 60.0, 20.0]])
    boxes = torch.tensor([[0.0, 0.0, 48.0, 20.0]]).expand(6, 4)
    found = assign(torch.tensor([0.04, 0.64, 0.16, 0.9, 0.9, 0.9]), boxes, objects, LINE)
    assert found.targets.tolist() == pytest.approx([0.2, 0.8, 0.4, 0, 0, 0], abs=1e-5)


def test_a_cell_that_two_objects_want_answers_for_the_one_it_fits_better() -> None:
    objects = torch.tensor([[0.0, 0.0, 60.0, 20.0], [20.0, 0.0, 80.0, 20.0]])
    boxes = torch.tensor([[0, 0, 60, 20], [0, 0, 60, 20], [20, 0, 80, 20], [20, 0, 80, 20], [0] * 4, [0] * 4])
    found = assign(torch.full((6,), 0.5), boxes.float(), objects, LINE)
    assert found.objects.tolist() == [0, 0, 1, 1, -1, -1]
    assert found.targets[:4].tolist() == pytest.approx([1.0] * 4, abs=1e-6)


def test_no_more_cells_than_the_best_answer_for_an_object() -> None:
    centers, _ = cell_centers(128, 128)
    boxes = torch.tensor([[0.0, 0.0, 128.0, 128.0]]) + torch.rand(len(centers), 4)
    found = assign(torch.rand(len(centers)), boxes, torch.tensor([[0.0, 0.0, 128.0, 128.0]]), centers)
    assert (found.objects >= 0).sum() == TOP_CELLS


def test_a_plate_smaller_than_the_cells_still_has_cells() -> None:
    centers, strides = cell_centers(SIZE, SIZE)
    boxes = torch.cat((centers - strides[:, None] / 2, centers + strides[:, None] / 2), 1)
    found = assign(torch.full((CELLS,), 0.01), boxes, torch.tensor([[30.0, 30.5, 36.0, 33.0]]), centers)
    assert (found.objects == 0).any()
    assert (found.targets > 0).any()


# --- the whole loss -----------------------------------------------------------------------------------------------

PLATE = [20.0, 20.0, 44.0, 28.0]
CAR = [8.0, 8.0, 56.0, 40.0]
INSIDE = 3 * 8 + 3  # a cell of the plate


def perfect_answers() -> tuple[Tensor, Tensor]:
    plates, vehicles = empty_answers()
    plates[0, :, INSIDE] = torch.tensor([SURE, *raw_box(PLATE, INSIDE), *raw_corners(PLATE, INSIDE)])
    middle = 64 + 1 * 4 + 1  # a cell of stride 16, in the car
    vehicles[0, VEHICLE_CLASSES:, middle] = torch.tensor(raw_box(CAR, middle))
    vehicles[0, VEHICLE_LABELS.index("car"), middle] = SURE
    return plates, vehicles


def test_a_perfect_answer_costs_next_to_nothing() -> None:
    losses = DetectorLoss(SIZE, SIZE)(*perfect_answers(), [make_labels((PLATE,), (CAR,))])
    assert set(losses) == {"plate", "plate_box", "corners", "vehicle", "vehicle_box"}
    for name in ("plate_box", "corners", "vehicle_box"):
        assert losses[name].item() < 1e-3, name
    assert losses["plate"].item() < 0.05
    assert losses["vehicle"].item() < 0.05


def test_each_fault_costs_in_its_own_part() -> None:
    loss, labels = DetectorLoss(SIZE, SIZE), make_labels((PLATE,), (CAR,))
    before = loss(*perfect_answers(), [labels])

    plates, vehicles = perfect_answers()
    plates[0, 5, INSIDE] += 0.5  # the first corner four pixels to the right
    after = loss(plates, vehicles, [labels])
    assert after["corners"] > before["corners"] + 0.1
    assert after["plate_box"].item() == pytest.approx(before["plate_box"].item(), abs=1e-6)

    plates, vehicles = perfect_answers()
    plates[0, 0, 0] = SURE  # a plate where there is none
    assert loss(plates, vehicles, [labels])["plate"] > before["plate"] + 10

    plates, vehicles = perfect_answers()
    vehicles[0, :VEHICLE_CLASSES] = vehicles[0, :VEHICLE_CLASSES].roll(1, 0)  # a truck
    assert loss(plates, vehicles, [labels])["vehicle"] > before["vehicle"] + 10


def test_ignored_areas_cost_nothing_but_others_do() -> None:
    loss, (plates, vehicles) = DetectorLoss(SIZE, SIZE), empty_answers()
    plates[0, 0, 0] = SURE
    vehicles[0, 0, 0] = SURE
    area = [0.0, 0.0, 8.0, 8.0]
    counted = loss(plates, vehicles, [make_labels()])
    ignored = loss(plates, vehicles, [make_labels(plate_ignore=(area,), vehicle_ignore=(area,))])
    for name in ("plate", "vehicle"):
        assert counted[name].item() == pytest.approx(SURE, abs=0.1)
        assert ignored[name].item() < 0.01


def test_an_object_within_an_ignored_area_is_still_taught() -> None:
    loss, (plates, vehicles) = DetectorLoss(SIZE, SIZE), perfect_answers()
    plates[0, 0, INSIDE] = NOTHING
    labels = make_labels((PLATE,), plate_ignore=([0.0, 0.0, 64.0, 64.0],))
    assert loss(plates, vehicles, [labels])["plate"] > 1


def test_a_vehicle_of_unknown_type_may_be_any() -> None:
    loss = DetectorLoss(SIZE, SIZE)
    for shift in range(VEHICLE_CLASSES):
        plates, vehicles = perfect_answers()
        vehicles[0, :VEHICLE_CLASSES] = vehicles[0, :VEHICLE_CLASSES].roll(shift, 0)
        assert loss(plates, vehicles, [make_labels((PLATE,), (CAR,), classes=(-1,))])["vehicle"] < 0.05


def test_corners_that_nobody_labelled_are_not_taught() -> None:
    plates, vehicles = perfect_answers()
    plates[0, 5:, INSIDE] = 3.0
    losses = DetectorLoss(SIZE, SIZE)(plates, vehicles, [make_labels((PLATE,), has_corners=False)])
    assert losses["corners"].item() == 0


def test_a_batch_without_objects_has_a_loss_with_a_gradient() -> None:
    plates, vehicles = (answers.requires_grad_() for answers in empty_answers())
    losses = DetectorLoss(SIZE, SIZE)(plates, vehicles, [make_labels()])
    assert set(losses) == {"plate", "vehicle"}
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    assert plates.grad is not None
    assert plates.grad[:, 0].abs().sum() > 0
