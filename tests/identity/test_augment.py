"""Variants of a photo: how often which comes, that the mask stays on the subject; what happens without a subject."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.identity.drawn import Pixels, ellipse, picture, red_on_blue
from vcd_ext.identity.photos.augment import Variant, variant
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.settings import TrainSettings

PLAIN = TrainSettings(size=64, flip=0, rotate=0, far=0, close=0, whole_picture=0, background=0)
SUBJECT = ellipse(96, 128, (40, 20, 88, 84))


def settings(**changes: float) -> TrainSettings:
    return TrainSettings(**{**{name: getattr(PLAIN, name) for name in FIELDS}, **changes})  # type: ignore[arg-type]


FIELDS = ("size", "flip", "rotate", "far", "close", "whole_picture", "background")


def draws(photo: Photo, chosen: TrainSettings, count: int) -> list[Variant]:
    return [variant(photo, chosen, np.random.default_rng(i)) for i in range(count)]


def marked(mask: Pixels) -> Photo:
    """Return a photo with a red subject before blue."""
    return Photo("a", red_on_blue(mask), mask, "file")


def red(pixels: Tensor) -> Tensor:
    """Where the red subject is seen: bool [S, S]."""
    return (pixels[0] > 0) & (pixels[2] < 0)


def agreement(made: Variant) -> float:
    """Soft intersection over union of the mask and of how red it is around it (the blurred field may be reddish)."""
    red, blue = (torch.tensor(colour)[:, None, None] / 127.5 - 1 for colour in ((230, 30, 30), (30, 60, 220)))
    share = ((made.pixels - blue) * (red - blue)).sum(0) / ((red - blue) ** 2).sum()  # 1 where red, 0 where blue
    near = F.max_pool2d(made.mask[None], 11, stride=1, padding=5)[0] > 0.5
    seen = share.clamp(0, 1) * near
    return float(torch.minimum(made.mask, seen).sum() / torch.maximum(made.mask, seen).sum())


def inside(mask: Tensor, pixels: int) -> Tensor:
    """Return what lies at least so many pixels within a mask [S, S], and within the picture: bool [S, S]."""
    padded = F.pad(mask, (pixels, pixels, pixels, pixels))
    return -F.max_pool2d(-padded[None], 2 * pixels + 1, stride=1)[0] > 0.999


def test_a_variant_is_a_square_in_the_models_range():
    made = variant(Photo("a", picture(1), SUBJECT, "file"), TrainSettings(size=72), np.random.default_rng(0))
    assert (made.pixels.shape, made.mask.shape) == ((3, 72, 72), (72, 72))
    assert made.pixels.dtype == made.mask.dtype == torch.float32
    assert made.pixels.min() >= -1
    assert made.pixels.max() <= 1
    assert made.pixels.std() > 0.2
    assert made.mask.min() >= 0
    assert made.mask.max() <= 1


def test_without_any_augmentation_a_square_photo_stays_as_it_is():
    pixels, mask = picture(1, 64, 64), ellipse(64, 64, (8, 8, 40, 60))
    made = variant(Photo("a", pixels, mask, "file"), PLAIN, np.random.default_rng(0))
    wanted = torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1
    assert torch.allclose(made.pixels, wanted, atol=1e-3)
    assert torch.allclose(made.mask, torch.from_numpy(mask / 255).float(), atol=1e-3)
    assert made.prefix == ""


def test_the_same_generator_draws_the_same_and_another_draws_another():
    photo, chosen = Photo("a", picture(1), SUBJECT, "file"), settings(rotate=1, far=0.5, background=0.5, flip=0.5)
    once, again = draws(photo, chosen, 8), draws(photo, chosen, 8)
    assert all(
        torch.equal(a.pixels, b.pixels) and torch.equal(a.mask, b.mask) for a, b in zip(once, again, strict=True)
    )
    assert all(not torch.equal(once[0].pixels, other.pixels) for other in once[1:])


def test_each_kind_has_its_share():
    photo = Photo("a", red_on_blue(SUBJECT), SUBJECT, "file")
    chosen = TrainSettings(size=64, far=0.27, close=0.33, whole_picture=0.05, rotate=0)
    made = draws(photo, chosen, 500)
    whole = [one for one in made if bool((one.mask == 1).all())]
    masked = [one for one in made if bool((one.mask < 1).any())]
    assert len(whole) / 500 == pytest.approx(0.05, abs=0.03)
    assert {one.prefix for one in whole} == {""}
    shares = {
        prefix: sum(one.prefix == prefix for one in masked) / len(masked) for prefix in ("far away ", "close up ")
    }
    assert shares == {"far away ": pytest.approx(0.27, abs=0.06), "close up ": pytest.approx(0.33, abs=0.06)}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_flips_and_backgrounds_have_their_shares(share: float):
    pixels = red_on_blue(ellipse(64, 64, (4, 4, 28, 60)))
    photo = Photo("a", pixels, ellipse(64, 64, (16, 8, 48, 56)), "file")  # what is red tells left from right
    flipped = [bool(red(one.pixels)[:, 40:].any()) for one in draws(photo, settings(flip=share), 200)]
    assert np.mean(flipped) == pytest.approx(share, abs=0.1 * (0 < share < 1))
    plain = variant(photo, PLAIN, np.random.default_rng(0)).pixels
    replaced = [
        not torch.allclose(one.pixels, plain, atol=0.01) for one in draws(photo, settings(background=share), 200)
    ]
    assert np.mean(replaced) == pytest.approx(share, abs=0.1 * (0 < share < 1))


def test_a_flip_mirrors_picture_and_mask():
    photo = Photo("a", picture(1, 64, 64), ellipse(64, 64, (8, 8, 40, 60)), "file")
    plain, mirrored = draws(photo, PLAIN, 1)[0], draws(photo, settings(flip=1), 1)[0]
    assert torch.allclose(mirrored.pixels, plain.pixels.flip(2), atol=1e-4)
    assert torch.allclose(mirrored.mask, plain.mask.flip(1), atol=1e-4)


def tilt(mask: Tensor) -> float:
    """Return the angle of a mask's long axis, in degrees."""
    y, x = torch.nonzero(mask > 0.5).double().T
    (xx, xy), (_, yy) = torch.cov(torch.stack([x, y])).tolist()
    return float(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)))


def test_rotations_are_of_the_size_that_was_set():
    photo = marked(ellipse(128, 128, (24, 54, 104, 74)))
    some = TrainSettings(size=64, flip=0, far=0, close=0, whole_picture=0, rotate=0.7, rotate_degrees=6)
    angles = np.array([tilt(one.mask) for one in draws(photo, some, 300)])
    turned = angles[np.abs(angles) > 0.1]
    assert len(turned) / 300 == pytest.approx(0.7, abs=0.08)
    assert turned.std() == pytest.approx(6, abs=0.8)
    assert turned.mean() == pytest.approx(0, abs=1.2)


@pytest.mark.parametrize(("height", "width", "size"), [(96, 128, 64), (300, 200, 64), (100, 90, 128), (64, 64, 256)])
@pytest.mark.parametrize(
    "changes",
    [{}, {"rotate": 1}, {"far": 1}, {"close": 1}, {"rotate": 1, "flip": 0.5, "far": 0.4, "close": 0.4}],
    ids=str,
)
def test_the_mask_follows_the_picture(height: int, width: int, size: int, changes: dict[str, float]):
    # In the middle, so that the mirrored edge shows no second subject.
    photo = marked(ellipse(height, width, (0.3 * width, 0.25 * height, 0.6 * width, 0.7 * height)))
    for made in draws(photo, settings(size=size, **changes), 12):
        assert agreement(made) > 0.92


def area(made: Variant) -> float:
    return float(made.mask.mean())


def test_far_away_is_a_third_to_two_thirds_of_the_size():
    photo = marked(ellipse(128, 128, (34, 24, 94, 104)))
    whole = area(draws(photo, PLAIN, 1)[0])
    factors = np.sqrt([area(made) / whole for made in draws(photo, settings(far=1), 150)])
    assert factors.min() == pytest.approx(1 / 3, abs=0.03)
    assert factors.max() == pytest.approx(2 / 3, abs=0.03)


def test_close_up_enlarges_a_large_subject_a_little_and_a_small_one_until_it_fills_the_picture():
    large = marked(ellipse(128, 128, (8, 8, 120, 120)))
    whole = area(draws(large, PLAIN, 1)[0])
    assert all(1.2 * whole < area(made) for made in draws(large, settings(close=1), 20))
    small = marked(ellipse(512, 512, (40, 60, 120, 140)))
    factors = np.sqrt([area(made) / area(draws(small, PLAIN, 1)[0]) for made in draws(small, settings(close=1), 40)])
    assert 5 < factors.min() < factors.max() < 7.5


def test_pixels_are_not_enlarged_to_twice_their_size_for_a_close_up():
    tiny = marked(ellipse(96, 128, (50, 40, 70, 60)))
    for made in draws(tiny, settings(size=96, close=1), 20):
        assert 1.2**2 * 0.9 < area(made) / area(draws(tiny, settings(size=96), 1)[0]) < 1.9**2


@pytest.mark.parametrize("box", [(2, 20, 42, 80), (206, 10, 250, 90), (100, 0, 150, 96)])
def test_the_crop_of_a_wide_photo_keeps_the_subject_wherever_it_is(box: tuple[int, int, int, int]):
    mask = ellipse(96, 256, box)
    for made in draws(Photo("a", picture(1, 96, 256), mask, "file"), PLAIN, 20):
        assert float(made.mask.sum()) == pytest.approx((mask > 0).sum() * (64 / 96) ** 2, rel=0.03)


def test_of_a_subject_taller_than_the_square_all_is_seen_and_a_close_up_shows_its_upper_part():
    mask = ellipse(192, 96, (20, 4, 76, 188))
    photo = marked(mask)
    for made in draws(photo, PLAIN, 10):
        assert float(made.mask.sum()) == pytest.approx((mask > 0).sum() * (64 / 192) ** 2, rel=0.08)
        assert agreement(made) > 0.93
    plain_top = Photo("a", red_on_blue(np.where(np.arange(192)[:, None] < 60, mask, 0)), mask, "file")
    seen = [red(made.pixels).float().mean() > 0.1 for made in draws(plain_top, settings(close=1), 40)]
    assert np.mean(seen) > 0.7


def test_the_crop_of_a_photo_without_mask_is_near_its_middle():
    pixels = np.zeros((96, 192, 3), np.uint8)
    pixels[:, 96 - 24 : 96 + 24] = 255
    for made in draws(Photo("a", pixels), PLAIN, 20):
        assert float((made.pixels > 0).float().mean()) == pytest.approx(0.5, abs=0.03)
        assert torch.equal(made.mask, torch.ones(64, 64))


def test_what_is_not_in_the_photo_has_no_weight_and_is_not_black():
    white = Photo("a", np.full((96, 96, 3), 240, np.uint8))
    for changes in ({"rotate": 1}, {"far": 1}):
        for made in draws(white, settings(**changes), 10):
            assert float((made.pixels - (240 / 127.5 - 1)).abs().max()) < 0.02
            assert float(made.mask.min()) < 1
    photo = Photo("a", picture(1, 96, 96))
    far = draws(photo, settings(far=1), 20)
    assert all(1 / 9 - 0.01 < area(made) < 4 / 9 + 0.01 for made in far)


def test_a_subject_at_the_photos_edge_ends_there():
    photo = marked(np.full((96, 96), 255, np.uint8))
    for changes, most in (({"far": 1}, 4 / 9 + 0.01), ({"far": 1, "rotate": 1}, 4 / 9 + 0.01), ({"rotate": 1}, 0.999)):
        made = [one for one in draws(photo, settings(**changes), 20) if one.mask.min() < 0.1]
        assert made
        assert all(area(one) < most for one in made)


def test_what_is_finer_than_a_pixel_is_averaged():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    photo = Photo("a", np.repeat(stripes[..., None], 3, axis=2), stripes, "file")
    for made in (*draws(photo, PLAIN, 1), *draws(photo, settings(rotate=1), 3)):
        inner = (slice(20, -20), slice(20, -20))
        assert float((made.mask[inner] - 0.5).abs().max()) < 0.02
        assert float(made.pixels[0][inner].abs().max()) < 0.02


def test_a_whole_picture_is_plain_and_all_of_it_counts():
    photo = Photo("a", picture(1, 64, 64), ellipse(64, 64, (8, 8, 40, 60)), "file")
    every = settings(whole_picture=1, rotate=1, far=1, background=1)
    plain = variant(photo, PLAIN, np.random.default_rng(0))
    for made in draws(photo, every, 5):
        assert torch.equal(made.mask, torch.ones(64, 64))
        assert torch.allclose(made.pixels, plain.pixels, atol=1e-3)
        assert made.prefix == ""


def test_a_new_background_leaves_the_subject_and_differs_each_time():
    photo = marked(SUBJECT)
    made = draws(photo, settings(background=1), 12)
    wanted = torch.tensor([230.0, 30, 30])[:, None, None] / 127.5 - 1
    for one in made:
        assert float((one.pixels - wanted).abs()[:, inside(one.mask, 3)].max()) < 0.02
    corners = {tuple(one.pixels[:, 0, 0].tolist()) for one in made}
    assert len(corners) == 12
    assert any(float(one.pixels[:, one.mask == 0].std(dim=1).max()) < 1e-4 for one in made), "some have one colour"
    assert any(float(one.pixels[:, one.mask == 0].std(dim=1).max()) > 0.1 for one in made), "some are full of change"


def test_a_photo_without_mask_keeps_its_background():
    photo = Photo("a", picture(1, 64, 64))
    assert torch.equal(draws(photo, settings(background=1), 1)[0].pixels, draws(photo, PLAIN, 1)[0].pixels)


@pytest.mark.parametrize("changes", [{}, {"rotate": 1}, {"far": 1}, {"close": 1}], ids=str)
@pytest.mark.parametrize("size", [64, 128])
def test_the_background_does_not_reach_into_the_subject(changes: dict[str, float], size: int):
    """Changed pixels outside the mask change nothing that lies a latent cell or more inside it."""
    mask = ellipse(160, 200, (50, 20, 150, 140))
    photo = Photo("a", picture(1, 160, 200), mask, "file")
    noise = np.random.default_rng(0).integers(0, 256, photo.pixels.shape, np.uint8)
    other = Photo("a", np.where(mask[..., None] > 0, photo.pixels, noise), mask, "file")
    for one, two in zip(*(draws(p, settings(size=size, **changes), 8) for p in (photo, other)), strict=True):
        inner = inside(one.mask, 8)
        assert inner.any() or one.prefix == "far away "
        assert float((one.pixels - two.pixels).abs()[:, inner].max() if inner.any() else 0) < 1e-5
        assert not torch.allclose(one.pixels, two.pixels, atol=0.1)


# Crops without a subject


def test_a_nearly_empty_crop_is_drawn_again():
    photo = marked(ellipse(128, 128, (50, 50, 82, 82)))  # 5% of the picture: 0.55% to 2.2% when far away
    made = draws(photo, settings(far=1), 60)
    assert all(area(one) >= 0.01 for one in made)
    assert sum(one.prefix == "far away " for one in made) > 40


def test_a_subject_too_small_to_be_far_away_is_shown_plainly():
    photo = marked(ellipse(128, 128, (90, 10, 106, 26)))  # 1.2%
    for made in draws(photo, settings(far=1, rotate=1), 10):
        assert made.prefix == ""
        assert area(made) == pytest.approx(0.0123, abs=0.001)
    speck = np.zeros((256, 256), np.uint8)
    speck[200:206, 30:36] = 255
    assert all(0 < area(made) < 0.01 for made in draws(marked(speck), settings(far=1), 5))


def test_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match=r"mask of rex\.jpg is empty; mark the subject"):
        variant(Photo("rex.jpg", picture(1), 0 * SUBJECT, "file"), PLAIN, np.random.default_rng(0))
