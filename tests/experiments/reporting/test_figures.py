"""The figures of the segmentations and of the loss: what is drawn, and that the file is a picture of a legible size."""
import io

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.text import Text
from PIL import Image

from experiments.evaluation import evaluate, evaluate_predictions
from experiments.evaluation.froc import ImageMarks, froc
from experiments.evaluation.operating_point import operating_point, realised
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.roc import Curve
from experiments.evaluation.segmentation import MEASURES
from experiments.reporting.figures import (
    Detection,
    Samples,
    borders_figure,
    evolution_figure,
    froc_figure,
    loss_figure,
    overlay_figure,
    placeholder_figure,
    roi_grid_figure,
    saliency_figure,
    samples_figure,
)
from experiments.reporting.figures.borders import borders
from experiments.reporting.figures.evolution import evolution
from experiments.reporting.figures.froc import froc_curves
from experiments.reporting.figures.loss import STYLES, continuations, loss_course, moving_average, window_for
from experiments.reporting.figures.overlay import overlay
from experiments.reporting.figures.placeholder import placeholder
from experiments.reporting.figures.roc import CORNERS, corner, roc
from experiments.reporting.figures.roi_grid import roi_grid
from experiments.reporting.figures.saliency import saliency, strength
from experiments.reporting.figures.style import BLUE, LIGHT_BLUE, LIGHT_GREEN, VERMILLION, draw_border, new_figure, png
from experiments.runs.log import Entry

SIDE = 16
MASK = np.zeros((SIDE, SIDE), bool)
MASK[4:9, 5:12] = True
IMAGE = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
DETECTORS = [f"P{group}-{loss}" for group in range(5) for loss in ("dice", "ss")]


def size(data):
    assert data.startswith(b"\x89PNG")
    return Image.open(io.BytesIO(data)).size


def measures(value):
    return {measure: value + place / 100 for place, measure in enumerate(MEASURES)}


def history(start):
    """Of a detector: evaluations at the steps 0, 50, 100 and losses between them."""
    evaluations = [Entry(step, evaluation={"train": measures(start + step / 500), "test": measures(start)})
                   for step in (0, 50, 100)]
    return [*evaluations, Entry(60, 0.5, 1e-3)]


def grid():
    histories = {name: history(place / 20) for place, name in enumerate(DETECTORS)}
    complete = {name: {"train": measures(0.3), "test": measures(0.2)} for name in DETECTORS}
    return histories, complete


def panel(figure, measure, name):
    group, loss = name.split("-")
    row = 2 * list(MEASURES).index(measure) + ("dice", "ss").index(loss)
    return figure.axes[5 * row + int(group[1])]


@pytest.fixture(scope="module")
def drawn_grid():
    return roi_grid(*grid())


def test_the_grid_has_a_row_for_each_measure_and_loss_and_a_column_for_each_group(drawn_grid):
    figure = drawn_grid
    assert len(figure.axes) == 50
    assert [axes.get_ylabel() for axes in figure.axes[::5]] == [
        f"{measure}\n{loss}" for measure in ("loss", "accuracy", "precision", "recall", "overlap\naccuracy")
        for loss in ("Dice", "SS")]
    assert [axes.get_title()[:2] for axes in figure.axes[:5]] == ["P0", "P1", "P2", "P3", "P4"]
    assert {axes.get_xlabel() for axes in figure.axes[-5:]} == {"training step"}


@pytest.mark.parametrize("name", DETECTORS)
def test_each_panel_has_the_curves_of_its_detector_and_the_lines_of_its_result(name, drawn_grid):
    first = DETECTORS.index(name) / 20
    for place, measure in enumerate(MEASURES):
        train, line_train, test, line_test = panel(drawn_grid, measure, name).lines
        assert train.get_xdata().tolist() == test.get_xdata().tolist() == [0, 50, 100]
        np.testing.assert_allclose(train.get_ydata(), first + place / 100 + np.array([0, 0.1, 0.2]))
        np.testing.assert_allclose(test.get_ydata(), first + place / 100)
        np.testing.assert_allclose(line_train.get_ydata(), 0.3 + place / 100)
        np.testing.assert_allclose(line_test.get_ydata(), 0.2 + place / 100)
        assert [line.get_color() for line in (train, test, line_train, line_test)] == [BLUE, VERMILLION] * 2
        assert train.get_linestyle() != test.get_linestyle()  # told apart without colour, too


def test_an_undefined_precision_is_a_gap_and_a_detector_without_history_says_so():
    histories, complete = grid()
    histories["P1-ss"][1].evaluation["test"]["precision"] = None
    del histories["P3-dice"], complete["P3-dice"]
    figure = roi_grid(histories, complete)
    values = panel(figure, "precision", "P1-ss").lines[2].get_ydata()
    assert np.isnan(values).tolist() == [False, True, False]
    silent = [axes for axes in figure.axes if any(text.get_text() == "not trained" for text in axes.texts)]
    assert silent == [panel(figure, measure, "P3-dice") for measure in MEASURES]


def test_rows_of_shares_have_the_scale_from_0_to_1_and_the_loss_its_own_for_each_loss_function():
    histories, complete = grid()
    for entry in histories["P0-ss"][:3]:
        entry.evaluation["train"]["loss"] = 7.0
    figure = roi_grid(histories, complete)
    assert panel(figure, "loss", "P4-ss").get_ylim()[1] > 7 > panel(figure, "loss", "P4-dice").get_ylim()[1]
    for measure in list(MEASURES)[1:]:
        low, high = panel(figure, measure, "P2-dice").get_ylim()
        assert low < 0 and high > 1


def drawn_borders(axes):
    """(colour, extent in x and y) of each border."""
    result = []
    for contour in axes.collections:
        vertices = np.concatenate([path.vertices for path in contour.get_paths()])
        result.append((contour.get_edgecolor()[0], *vertices.min(axis=0), *vertices.max(axis=0)))
    return result


def test_a_border_runs_around_the_pixels_of_the_mask_at_the_image_s_edge_too():
    axes = new_figure(2, 2).subplots()
    axes.imshow(IMAGE)
    draw_border(axes, MASK, LIGHT_BLUE)
    draw_border(axes, np.ones_like(MASK), LIGHT_GREEN)
    draw_border(axes, np.zeros_like(MASK), LIGHT_GREEN)
    (colour, *inner), (_, *outer) = drawn_borders(axes)
    assert same_color(colour, LIGHT_BLUE)
    assert inner == [4.5, 3.5, 11.5, 8.5]
    assert outer == [-0.5, -0.5, SIDE - 0.5, SIDE - 0.5]
    assert axes.get_xlim() == (-0.5, SIDE - 0.5) and axes.get_ylim() == (SIDE - 0.5, -0.5)


def detections():
    return {name: Detection(IMAGE, np.roll(MASK, place - 5, axis=1), MASK) for place, name in enumerate(DETECTORS)}


def test_borders_of_prediction_and_annotation_stand_over_each_mammogram():
    figure = borders(detections())
    assert [axes.get_ylabel() for axes in figure.axes[::5]] == ["Dice", "SS"]
    for place, name in enumerate(DETECTORS):
        axes = figure.axes[5 * ("ss" in name) + int(name[1])]
        np.testing.assert_array_equal(axes.images[0].get_array(), IMAGE)
        (blue, *annotated), (green, *predicted) = drawn_borders(axes)
        assert same_color(blue, LIGHT_BLUE) and same_color(green, LIGHT_GREEN)
        assert annotated == [4.5, 3.5, 11.5, 8.5]
        assert predicted == [place - 0.5, 3.5, place + 6.5, 8.5]
        share = max(0, 7 - abs(place - 5)) / 7
        assert axes.get_xlabel() == f"overlap {share:.2f}, precision {share:.2f}"


def test_borders_say_where_nothing_was_predicted_everything_or_no_example_is_there():
    given = detections()
    given["P0-dice"] = Detection(IMAGE, np.zeros_like(MASK), MASK)
    given["P1-dice"] = Detection(IMAGE, np.ones_like(MASK), MASK)
    del given["P2-dice"]
    nothing, everything, absent = borders(given).axes[:3]
    assert nothing.get_xlabel() == "nothing predicted" and len(nothing.collections) == 1
    assert everything.get_xlabel() == f"overlap 1.00, precision {35 / SIDE**2:.2f}"
    assert absent.texts[0].get_text() == "no example" and not absent.images


def test_the_evolution_begins_with_the_annotated_image_and_has_a_tile_for_each_step():
    steps = np.array([0, 10, 40, 100, 400, 1000, 2000])
    probabilities = np.linspace(0, 1, 7, dtype=np.float16)[:, None, None] * np.ones((7, SIDE, SIDE), np.float16)
    figure = evolution(steps, probabilities, IMAGE, MASK)
    tiles = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in tiles] == ["image and annotation", *(f"step {step}" for step in steps)]
    np.testing.assert_array_equal(tiles[0].images[0].get_array(), IMAGE)
    for axes, picture in zip(tiles[1:], probabilities, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), picture)
        assert axes.images[0].get_clim() == (0, 1)
    for axes in tiles:
        (colour, *extent), = drawn_borders(axes)
        assert same_color(colour, LIGHT_BLUE) and extent == [4.5, 3.5, 11.5, 8.5]
    assert figure.axes[-1].get_ylabel() == "predicted probability of lesion"
    assert sum(axes.axison for axes in figure.axes) == 9  # 8 tiles and the colour bar: empty places show nothing


def test_each_annotation_of_the_placeholder_data_stands_two_rows_below_its_image():
    images = [np.full((20, 16), value / 10) for value in range(10)]
    masks = [np.arange(320).reshape(20, 16) < value for value in range(10)]
    figure = placeholder(images, masks, [f"number {value}" for value in range(10)])
    assert len(figure.axes) == 20
    for place in range(10):
        image, mask = figure.axes[place], figure.axes[10 + place]
        assert image.get_title() == f"number {place}"
        assert image.images[0].get_array()[0, 0] == place / 10
        assert mask.images[0].get_array().sum() == place


def course(first, last, level):
    return [Entry(step, level) for step in range(first, last + 1, 10)]


def steps_of(histories):
    return [[entry.step for entry in history] for history in histories]


RETRAINED = {"end-to-end": course(10, 900, 0.3), "decomposition": course(10, 900, 0.4),
             "retrained": course(910, 1500, 1.0)}


def test_no_average_runs_across_the_step_where_a_training_goes_on():
    axes = loss_course(RETRAINED).axes[0]
    averages = [line for line in axes.lines if "moving average" in str(line.get_label())]
    for line, (name, history) in zip(averages, RETRAINED.items(), strict=True):
        assert line.get_label().startswith(name)
        assert (line.get_xdata()[0], line.get_xdata()[-1]) == (history[0].step, history[-1].step)
        np.testing.assert_allclose(line.get_ydata(), history[0].loss)
    mark, = (line for line in axes.lines if "goes on" in str(line.get_label()))
    assert mark.get_xdata() == [900, 900] and mark.get_label().startswith("step 900")


def test_trainings_that_begin_together_are_not_marked():
    assert continuations(steps_of(RETRAINED.values())) == [900]
    together = {name: RETRAINED[name] for name in ("end-to-end", "decomposition")} | {"longer": course(1, 2000, 0.2)}
    assert continuations(steps_of(together.values())) == continuations([[]]) == []
    assert not any("goes on" in str(line.get_label()) for line in loss_course(together).axes[0].lines)


def test_the_legend_of_the_loss_names_every_training_once():
    figure = loss_course(RETRAINED)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text.split(" (")[0] for text in texts] == [*RETRAINED, "step 900: another training goes on from here",
                                                       "single batches"]


def test_the_accuracy_while_training_went_on_stands_below_the_loss():
    evaluated = {name: [*history, *(Entry(entry.step, evaluation={"test": {"accuracy": place / 100}})
                                    for place, entry in enumerate(history[::30]))]
                 for name, history in RETRAINED.items()}
    upper, lower = loss_course(evaluated).axes
    alone = loss_course(RETRAINED).axes[0]
    assert [line.get_label() for line in upper.lines] == [line.get_label() for line in alone.lines]
    curves = [line for line in lower.lines if line.get_marker() == "o"]
    for line, (colour, _), history in zip(curves, STYLES, RETRAINED.values(), strict=False):
        assert line.get_color() == colour
        assert line.get_xdata().tolist() == [entry.step for entry in history[::30]]
        assert line.get_ydata().tolist() == [place / 100 for place in range(len(history[::30]))]
    assert "test set" in lower.get_ylabel() and lower.get_xlabel() == "training step" and not upper.get_xlabel()
    assert len(loss_course(RETRAINED).axes) == 1


@pytest.mark.parametrize("last", [2, 7, 60, 5000])
def test_steps_are_whole_numbers(last):
    steps = [1, last]
    losses = [Entry(step, 1.0) for step in steps]
    evaluations = [Entry(step, evaluation={"train": measures(0.5), "test": measures(0.4)}) for step in steps]
    for axes in (loss_course({"a": losses}).axes[-1], panel(roi_grid({"P2-ss": evaluations}, {}), "recall", "P2-ss")):
        ticks = axes.get_xticks()
        assert len(ticks) >= 2 and np.array_equal(ticks, np.round(ticks))


def roc_of(signals):
    """The figure of two splits whose outputs have been told more or less of the labels."""
    generator, predictions = np.random.default_rng(0), {}
    for split, signal in zip(("test", "train"), signals, strict=True):
        labels = np.arange(90) % 3
        predictions[split] = ImagePredictions(np.arange(90).astype(str), np.arange(90).astype(str), labels,
                                              generator.random((90, 3)) + signal * np.eye(3)[labels])
    results = {split: evaluate(each.probabilities, each.labels, each.patients) for split, each in predictions.items()}
    return roc(predictions, results)


def test_curves_near_1_stand_once_more_enlarged():
    assert len(roc_of((0.1, 0.1)).axes) == 2
    above, other, close, empty = roc_of((0.9, 0.1)).axes
    assert not empty.axison and not other.patches
    assert close.get_title().endswith("the upper left corner, enlarged")
    frame, = above.patches
    assert frame.get_xy() == (0, 1 - frame.get_height()) and frame.get_width() in CORNERS
    assert close.get_xlim()[1] == frame.get_width() and close.get_ylim()[0] == 1 - frame.get_height()
    for one, enlarged in zip(above.lines, close.lines, strict=True):
        np.testing.assert_array_equal(one.get_xydata(), enlarged.get_xydata())


def test_the_operating_point_and_the_end_of_the_partial_area_are_marked():
    generator, labels = np.random.default_rng(0), np.arange(90) % 3
    given = ImagePredictions(np.arange(90).astype(str), np.arange(90).astype(str), labels,
                             (generator.random((90, 3)) + 0.2 * np.eye(3)[labels]) / 1.2)
    found = realised(operating_point(given), given)
    sets = {"Another set": given, "test": given}
    results = {name: evaluate_predictions(given) for name in sets}
    figure = roc(sets, results, {"test": found})
    own, other = figure.axes
    assert own.get_title() == "Test set (90 images)" and other.get_title() == "Another set (90 images)"
    marks = [line.get_xydata().tolist() for line in own.lines if line.get_label() == "operating point for cancer"]
    assert marks == [[[1 - found.specificity, found.sensitivity]]]
    curve = own.lines[0].get_xydata()
    assert np.abs(curve - marks[0][0]).sum(axis=1).min() < 1e-9  # on the curve of cancer
    for axes in (own, other):
        line, = (line for line in axes.lines if line.get_label() == "false positive rate 0.1")
        assert set(line.get_xdata()) == {0.1}
    assert not [line for line in other.lines if line.get_label().startswith("operating")]


@pytest.mark.parametrize(("turn", "side"), [(0.0, 0.05), (0.02, 0.05), (0.04, 0.1), (0.09, 0.2), (0.3, 0.4)])
def test_the_corner_is_as_large_as_the_curves_need(turn, side):
    good = Curve(np.array([0, turn, 1]), np.array([0, 1, 1.0]), 0.95)
    bad = Curve(np.array([0, 1]), np.array([0, 1]), 0.5)
    assert corner([good, bad, None]) == side and corner([bad, None]) is None


def test_texts_are_shown_as_they_are_whatever_the_files_are_called():
    """A "$" is no formula, and a name that is not UTF-8 no error."""
    name = "my $x_1$ and $\\frac{ \udce9 <b>.png"
    assert size(overlay_figure(IMAGE, COUNTS, name))
    figure = placeholder([IMAGE], [MASK], [name])
    data = png(figure)
    title, = (text for text in figure.findobj(Text) if "frac" in text.get_text())
    assert title.get_text() == "my $x_1$ and $\\frac{ \\udce9 <b>.png" and not title.get_parse_math()
    assert data != png(placeholder([IMAGE], [MASK], ["my x"]))
    for draw in (lambda: samples_figure(Samples(IMAGE[None], np.zeros(1, int), np.ones((1, 2)), (name, "b"))),
                 lambda: loss_figure({name: RETRAINED["end-to-end"]}),
                 lambda: saliency_figure(IMAGE, GRADIENT, name, name)):
        assert size(draw())


def test_the_moving_average_of_a_hand_computed_case():
    assert moving_average(np.array([3.0, 0, 6, 9]), 3).tolist() == [1.5, 3, 5, 7.5]
    values = np.random.default_rng(0).random(200)
    np.testing.assert_allclose(moving_average(values, 51)[25:175], np.convolve(values, np.full(51, 1 / 51), "valid"))
    assert moving_average(values, 51)[0] == pytest.approx(values[:26].mean())


def test_the_window_is_the_thesis_s_or_a_quarter_of_a_short_training():
    assert [window_for(n) for n in (0, 1, 3, 30, 204, 5000)] == [1, 1, 1, 7, 51, 51]


GRADIENT = np.zeros((SIDE, SIDE, 2))
GRADIENT[6, 4, 0], GRADIENT[2, 11, 1] = -8.0, 3.0


def test_the_strength_of_a_gradient_is_its_absolute_value_smoothed_and_nothing_is_lost():
    smooth = strength(GRADIENT)
    assert smooth.shape == GRADIENT.shape and smooth.min() >= 0
    np.testing.assert_allclose(smooth.sum(axis=(0, 1)), [8, 3])
    assert [np.unravel_index(smooth[..., channel].argmax(), MASK.shape) for channel in (0, 1)] == [(6, 4), (2, 11)]
    wide = strength(np.kron(GRADIENT, np.ones((8, 8, 1))))  # 128 pixels a side: 2 pixels of smoothing
    assert wide[..., 0].max() == pytest.approx(8, abs=0.8) and 0 < wide[47, 32, 0] < 4


def test_saliency_lies_over_the_mammogram_with_a_scale_for_each_channel():
    figure = saliency(IMAGE, GRADIENT, "benign", "an image: benign 0.90")
    plain, *maps = (axes for axes in figure.axes if axes.images)
    assert figure.get_suptitle() == "an image: benign 0.90"
    np.testing.assert_array_equal(plain.images[0].get_array(), IMAGE)
    assert len(maps) == 2
    for channel, axes in enumerate(maps):
        below, above = axes.images
        np.testing.assert_array_equal(below.get_array(), IMAGE)
        np.testing.assert_allclose(above.get_array(), strength(GRADIENT)[..., channel])
        assert above.get_clim() == (0, strength(GRADIENT)[..., channel].max())
    units = [above.colorbar.ax.get_ylabel() for _, above in (axes.images for axes in maps)]
    assert "benign" in units[0] and "unit of brightness" in units[0] and "detector" in units[1]
    assert len([axes for axes in saliency(IMAGE, GRADIENT[..., :1], "benign", "").axes if axes.images]) == 2


def test_saliency_of_an_image_on_which_nothing_depends_is_drawn_as_nothing():
    figure = saliency(IMAGE, np.zeros((SIDE, SIDE, 1)), "cancer", "")
    above = figure.axes[1].images[1]
    assert above.get_clim() == (0, 1) and not above.get_array().any()


COUNTS = np.zeros((SIDE, SIDE), np.uint8)
COUNTS[3:9, 2:8] = np.arange(6)


def test_the_heat_map_stands_beside_the_mammogram_and_over_it_where_something_is_marked():
    figure = overlay(IMAGE, COUNTS, "an image")
    plain, alone, both = (axes for axes in figure.axes if axes.images)
    np.testing.assert_array_equal(plain.images[0].get_array(), IMAGE)
    np.testing.assert_array_equal(alone.images[0].get_array(), COUNTS)
    below, above = both.images
    np.testing.assert_array_equal(below.get_array(), IMAGE)
    np.testing.assert_array_equal(above.get_array().mask, COUNTS == 0)
    colours = [tuple(alone.images[0].to_rgba(np.array([[count]]))[0, 0]) for count in range(6)]
    assert len(set(colours)) == 6
    brightness = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue, _ in colours]
    assert np.all(np.diff(brightness) > 0)  # the order can be read without colour
    bar = alone.images[0].colorbar.ax
    assert bar.get_ylabel() == "detectors that mark the pixel" and bar.get_yticks().tolist() == [0, 1, 2, 3, 4, 5]


def test_the_files_are_png_of_a_legible_size():
    sizes = {
        "grid": size(roi_grid_figure(*grid())), "borders": size(borders_figure(detections())),
        "evolution": size(evolution_figure(np.arange(11), np.zeros((11, SIDE, SIDE), np.float16), IMAGE, MASK)),
        "placeholder": size(placeholder_figure([IMAGE] * 12, [MASK] * 12, ["drawn"] * 12)),
        "loss": size(loss_figure(RETRAINED)),
        "saliency": size(saliency_figure(IMAGE, GRADIENT, "benign", "an image")),
        "overlay": size(overlay_figure(IMAGE, COUNTS, "an image"))}
    assert sizes["grid"] == (2080, 2400) and sizes["borders"] == (2080, 1024)
    assert all(width >= 1200 and height >= 640 for width, height in sizes.values()), sizes


def found(lesions, wrong):
    return froc([ImageMarks(np.array(best, float), np.array(scores, float))
                 for best, scores in zip(lesions, wrong, strict=True)], np.arange(len(lesions)).astype(str))


def test_the_curve_of_lesions_found_ends_at_the_masks_as_they_are():
    of = found([[0.9], [0.7], [-np.inf], []], [[0.8], [], [0.6], [0.95]])
    figure = froc_curves({"test images": {"P1-dice": of}})
    axes, empty = figure.axes
    assert axes.get_title() == "Dice: test images" and not empty.lines
    curve, end = axes.lines[0], axes.lines[1]
    assert curve.get_xydata()[0].tolist() == [0, 0]
    assert curve.get_xydata()[-1].tolist() == pytest.approx([0.75, 2 / 3]) == [end.get_xdata()[0], end.get_ydata()[0]]
    assert axes.get_xlim()[1] >= of.all_marks.false_positives_ci[1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"detector P{group}" for group in range(5)]


def test_the_curves_of_several_sets_stand_below_each_other():
    one, many = found([[0.9]], [[]]), found([[0.9]] * 3, [[0.8] * 50] * 3)
    assert one.all_marks.sensitivity_ci is None, "one patient"
    figure = froc_curves({"a": {"P0-ss": one}, "b": {"P0-ss": many}})
    assert [axes.get_title() for axes in figure.axes] == ["Dice: a", "SS: a", "Dice: b", "SS: b"]
    assert figure.axes[0].get_xlim()[1] < 2 < figure.axes[2].get_xlim()[1] < 5, "not as far as 50 false marks"
    assert size(froc_figure({"a": {"P0-ss": one}}))[0] == 1664
    froc_figure({"no lesion": {"P0-ss": found([[]], [[0.6]])}})
