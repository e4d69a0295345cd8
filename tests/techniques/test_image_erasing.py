"""What is hidden or put into another image is a box, and targets follow its area."""

from dataclasses import replace

import pytest
import torch
from imaged import batch_of, changed, images_of, run_of

from aurify.techniques.cutmix import Cutmix
from aurify.techniques.image_erasing import Cutout, RandomErasing


def boxes(hidden):
    """Height and width of the box of each mask (B, H, W), which must be one."""
    found = []
    for mask in hidden:
        rows, columns = mask.any(1), mask.any(0)
        assert torch.equal(mask, rows[:, None] & columns[None, :])
        found.append((int(rows.sum()), int(columns.sum())))
    return found


def hidden_by(technique, count=300, height=20, width=30, **more):
    images = torch.full((count, 3, height, width), 0.9)
    after = changed(images, technique, **more)
    return after, (after != images).any(1)


def test_cutout_hides_a_square_about_any_pixel_behind_the_training_mean():
    after, hidden = hidden_by(Cutout(share=0.3), centre=(0.1, 0.2, 0.3))
    assert after[hidden[:, None].expand_as(after)].unique().tolist() == pytest.approx([0.1, 0.2, 0.3])
    sizes = boxes(hidden)
    assert max(sizes) == (6, 6)
    assert min(high for high, _ in sizes) == min(wide for _, wide in sizes) == 3  # half of it lies outside
    assert hidden.any(0).all()


@pytest.mark.parametrize("fill", ["noise", "mean"])
def test_erasing_hides_whole_boxes_of_many_shapes_in_a_share_of_the_images(fill):
    after, hidden = hidden_by(RandomErasing(chance=0.4, largest=0.3, fill=fill))
    touched = hidden.flatten(1).any(1)
    assert 0.3 < float(touched.float().mean()) < 0.5
    sizes = boxes(hidden[touched])
    assert max(high * wide for high, wide in sizes) <= 0.33 * 600
    assert {high > wide for high, wide in sizes} == {True, False}
    shades = after[touched][hidden[touched][:, None].expand(-1, 3, -1, -1)].unique()
    assert (len(shades) > 1000) if fill == "noise" else shades.tolist() == [0.5]


def cut(technique, images, **more):
    batch = batch_of(images, **more)
    return batch, technique.on_batch(batch, run_of([technique]))


def test_cut_images_are_of_two_rows_and_targets_mixed_by_what_is_seen_of_each():
    images = (torch.arange(12, dtype=torch.uint8) * 10).view(12, 1, 1, 1).expand(12, 16, 24, 1).contiguous()
    batch, after = cut(Cutmix(chance=1.0), images, target=torch.eye(12))
    assert after.blend is None
    seen = (after.inputs["images"] * 25.5).round().long()
    shares = torch.stack([(seen == at).flatten(1).float().mean(1) for at in range(12)], 1)
    torch.testing.assert_close(shares, after.target, atol=1e-6, rtol=0)
    assert ((after.target > 0).sum(1) <= 2).all()
    assert ((after.target > 0).sum(1) == 2).sum() > 4
    assert torch.equal(batch.inputs["images"], images)


def test_heavier_row_has_the_greater_say_as_in_mixup():
    images, weight = images_of(12), torch.tensor([1.0, 9.0] * 6)
    _, plain = cut(Cutmix(chance=1.0), images, target=torch.eye(12))
    _, heavy = cut(Cutmix(chance=1.0), images, target=torch.eye(12), weight=weight)
    torch.testing.assert_close(heavy.weight[:, None] * heavy.target, plain.target * weight, atol=1e-5, rtol=0)


def test_columns_beside_images_are_blended_and_the_images_not_again():
    images, numbers = images_of(12), torch.arange(12.0)[:, None]
    batch = replace(batch_of(images, target=torch.eye(12)), inputs={"images": images, "numbers": numbers})
    after = Cutmix(chance=1.0).on_batch(batch, run_of([]))
    assert torch.equal(after.blend.inputs["images"], after.inputs["images"])
    mixed = torch.lerp(after.blend.inputs["numbers"], after.inputs["numbers"], after.blend.share[:, None])
    torch.testing.assert_close(mixed, after.target @ numbers, atol=1e-4, rtol=0)


def test_share_of_the_batches_is_mixed():
    technique, images = Cutmix(chance=0.3), images_of(2)
    mixed = [
        technique.on_batch(batch_of(images), run_of([], step=step)).inputs["images"].is_floating_point()
        for step in range(200)
    ]
    assert 35 < sum(mixed) < 85
