"""Regions of both hosts' UNets attend to texts of their own, and nothing is left behind."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests import tiny
from tests.unets import diffusers, ldm, two_videos
from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.multidiffusion import Parts, multidiffusion
from vcd_ext.denoising.partition import tiles
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.motion import attached, load, windows
from vcd_ext.people import RegionBox, Regions
from vcd_ext.people.attention import _Shares, cross_attentions, heard_by_region, with_people, without_people

FRAMES, HEIGHT, WIDTH = 4, 16, 8
LEFT, RIGHT = RegionBox(0, 0, 0.5, 1), RegionBox(0.5, 0, 1, 1)
HALVES = Regions([[LEFT], [RIGHT]], base=0, border=0)
RUN: dict[str, Callable[[Any, dict[str, Tensor]], Tensor]] = {"ldm": ldm, "diffusers": diffusers}
BASE, ONE, OTHER = (torch.randn(77, 64, generator=torch.Generator().manual_seed(seed)) for seed in range(3))
LONG = torch.randn(154, 64, generator=torch.Generator().manual_seed(3))


def called(*texts: Tensor) -> dict[str, Tensor]:
    """Return a call of one video for each text, all of the same latents."""
    latents = two_videos(FRAMES, HEIGHT, WIDTH)["latents"][:FRAMES].repeat(len(texts), 1, 1, 1)
    context = torch.cat([text.expand(FRAMES, -1, -1) for text in texts])
    return {"latents": latents, "times": torch.full((len(latents),), 500), "context": context}


def by_region(unet: nn.Module, regions: Regions = HALVES, lengths: Any = (77, 77)) -> Any:
    return heard_by_region(unet, regions, FRAMES, lengths)


def near(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).norm() / other.norm() < 1e-4)


def test_each_row_of_a_layer_is_the_blend_of_its_texts(kind: str, unet: nn.Module) -> None:
    layer = next(cross_attentions(unet))
    seen: list[tuple[Tensor, Tensor]] = []
    with by_region(unet), torch.no_grad():
        handle = layer.register_forward_hook(
            lambda _layer, args, kwargs, out: seen.append((args[0] if args else kwargs["x"], out)), with_kwargs=True
        )
        RUN[kind](unet, called(with_people(BASE, [ONE, OTHER])))
        handle.remove()
        [(hidden, out)] = seen
        for text, half in ((ONE, slice(4)), (OTHER, slice(4, 8))):
            alone = layer.forward(hidden, text.expand(FRAMES, -1, -1))
            torch.testing.assert_close(*(each.unflatten(1, (HEIGHT, WIDTH))[:, :, half] for each in (out, alone)))


def test_both_hosts_unets_agree(ldm_unet: nn.Module, diffusers_unet: nn.Module) -> None:
    texts = called(without_people(BASE, 231), with_people(ONE, [LONG, OTHER]))
    made = []
    for name, unet in (("ldm", ldm_unet), ("diffusers", diffusers_unet)):
        with by_region(unet, Regions([[LEFT], [RegionBox(0.3, 0.2, 1, 0.9)]]), (154, 77)):
            made.append(RUN[name](unet, texts))
    assert near(*made)


def test_a_text_that_all_regions_share_is_a_text_without_regions(kind: str, unet: nn.Module) -> None:
    expected = RUN[kind](unet, called(BASE))
    with by_region(unet, Regions([[LEFT], [RIGHT]])):
        assert near(RUN[kind](unet, called(with_people(BASE, [BASE, BASE]))), expected)


def test_a_condition_without_people_is_computed_as_ever(kind: str, unet: nn.Module) -> None:
    uncond, cond = without_people(BASE, 154), with_people(BASE, [ONE, OTHER])
    expected, plain = RUN[kind](unet, called(BASE)), RUN[kind](unet, called(BASE, ONE))
    with by_region(unet):
        assert torch.equal(RUN[kind](unet, called(uncond)), expected)
        both = RUN[kind](unet, called(uncond, cond))
        alone = RUN[kind](unet, called(cond))
    assert near(both[:FRAMES], expected)
    assert near(both[FRAMES:], alone)
    assert not near(alone, expected)
    assert torch.equal(RUN[kind](unet, called(BASE, ONE)), plain), "off again, bit for bit"


def test_masks_go_with_the_frames(kind: str, unet: nn.Module) -> None:
    masks = torch.zeros(FRAMES, 1, HEIGHT, WIDTH)
    masks[1] = 1
    base, one = RUN[kind](unet, called(BASE)), RUN[kind](unet, called(ONE))
    with by_region(unet, Regions([[LEFT]], masks, base=0), (77,)):
        made = RUN[kind](unet, called(with_people(BASE, [ONE])))
    assert near(made[[0, 2, 3]], base[[0, 2, 3]])
    assert near(made[1], one[1])


@torch.no_grad()
def test_windows_and_tiles_divide_the_regions(kind: str, unet: nn.Module) -> None:
    masks = torch.rand(FRAMES, 2, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(5)).round()
    regions, text = Regions([[LEFT], [RIGHT]], masks), with_people(BASE, [ONE, OTHER])
    parts = Parts(FRAMES, windows(FRAMES, 3, 1), tiles(HEIGHT, WIDTH, 8, 0))
    whole, expected = called(text), torch.zeros(FRAMES, 4, HEIGHT, WIDTH)
    for window in parts.windows:
        for tile in parts.tiles or ():
            rows, down = list(window.frames), slice(tile.top, tile.top + tile.height)
            own = {name: value[rows] for name, value in whole.items()}
            own["latents"] = own["latents"][:, :, down]
            with heard_by_region(unet, Regions([[LEFT], [RIGHT]], masks[rows][:, :, down]), len(rows), (77, 77)):
                expected[rows, :, down] += RUN[kind](unet, own) * window.weights[:, None, None, None] * tile.weights
    with by_region(unet, regions), multidiffusion(unet, parts):
        assert near(RUN[kind](unet, whole), expected)


@torch.no_grad()
def test_what_is_found_of_regions_that_move_is_kept_for_one_window_at_a_time(
    kind: str, unet: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[_Shares]()
    plain = _Shares.__init__

    def noted(self: _Shares, *arguments: Any) -> None:
        plain(self, *arguments)
        made.append(self)

    monkeypatch.setattr(_Shares, "__init__", noted)
    parts = Parts(FRAMES, windows(FRAMES, 2, 0), tiles(HEIGHT, WIDTH, 8, 0))
    for regions in (Regions([[LEFT, RIGHT]]), Regions([[LEFT]])):
        made.clear()
        with by_region(unet, regions, (77,)), multidiffusion(unet, parts):
            RUN[kind](unet, called(with_people(BASE, [ONE])))
            assert sum(bool(each._layers) for each in made) == 1
    assert len(made) == 3, "of the video, and of two tiles, which all windows share where nobody moves"


def test_whoever_is_not_in_a_tile_is_not_computed_there(kind: str, unet: nn.Module) -> None:
    layer, texts = next(cross_attentions(unet)), list[int]()
    plain = layer.forward

    def counted(*args: Any, **kwargs: Any) -> Any:
        texts.append(1)
        return plain(*args, **kwargs)

    layer.forward = counted
    try:
        parts = Parts(FRAMES, windows(FRAMES, FRAMES, 0), tiles(HEIGHT, WIDTH, 8, 0))
        below = Regions([[RegionBox(0, 0.6, 1, 1)]])
        with by_region(unet, below, (77,)), multidiffusion(unet, parts):
            RUN[kind](unet, called(with_people(BASE, [ONE])))
    finally:
        del layer.forward
    assert len(texts) == 3, "two tiles, and the person in the lower one"


def test_a_text_that_all_frames_share_is_computed_once_and_where_it_counts(kind: str, unet: nn.Module) -> None:
    layer = next(cross_attentions(unet))
    shapes: dict[str, list[tuple[int, ...]]] = {"to_q": [], "to_k": []}
    handles = [
        getattr(layer, name).register_forward_pre_hook(lambda _part, args, of=of: of.append(tuple(args[0].shape[:2])))
        for name, of in shapes.items()
    ]
    with by_region(unet):
        RUN[kind](unet, called(without_people(BASE, 154), with_people(BASE, [ONE, OTHER])))
    for handle in handles:
        handle.remove()
    places = HEIGHT * WIDTH
    assert shapes["to_k"] == [(2 * FRAMES, 77), (1, 77), (1, 77)]
    assert shapes["to_q"] == [(2 * FRAMES, places), (1, FRAMES * places // 2), (1, FRAMES * places // 2)]


def test_texts_that_differ_from_frame_to_frame_are_heard_by_their_frames(kind: str, unet: nn.Module) -> None:
    one = torch.stack([ONE, OTHER, ONE, LONG[:77]])
    text = with_people(BASE.expand(FRAMES, -1, -1), [one, OTHER.expand(FRAMES, -1, -1)])
    whole = {**called(BASE), "context": text}
    with by_region(unet):
        made = RUN[kind](unet, whole)
        for frame in range(FRAMES):
            of_all = RUN[kind](unet, {**whole, "context": text[frame].expand(FRAMES, -1, -1)})
            assert near(made[frame], of_all[frame])


def test_somebody_elses_function_of_a_layer_gets_whole_rows(kind: str, unet: nn.Module) -> None:
    text, rows, layers = called(without_people(BASE, 154), with_people(BASE, [ONE, OTHER])), [], cross_attentions(unet)

    def counted(plain: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
            rows.append(len(hidden))
            return plain(hidden, *args, **kwargs)

        return forward

    with by_region(unet):
        expected = RUN[kind](unet, text)
        with ExitStack() as stack:
            for layer in layers:
                layer.forward = counted(layer.forward)
                stack.callback(delattr, layer, "forward")
            assert near(RUN[kind](unet, text), expected)
    assert set(rows) == {2 * FRAMES, FRAMES}


def test_a_region_of_less_than_a_deep_layers_place_is_passed_over_there(kind: str, unet: nn.Module) -> None:
    masks = torch.zeros(1, 1, HEIGHT, WIDTH)
    masks[..., 0, 0] = 0.002  # heard in the first layers; of the places of the next its share is too small
    layers, rows = list(cross_attentions(unet)), list[int]()
    handles = [
        layer.get_submodule("to_q").register_forward_pre_hook(lambda _part, args: rows.append(args[0].shape[1]))
        for layer in layers
    ]
    with by_region(unet, Regions([[LEFT]], masks, base=0), (77,)):
        RUN[kind](unet, called(with_people(BASE, [ONE])))
    for handle in handles:
        handle.remove()
    assert FRAMES in rows, "heard at one place of each frame"
    assert 0 not in rows, "no layer is given a row of nothing"


def test_with_motion_and_a_controlnet(
    kind: str,
    unet: nn.Module,
    diffusers_unet: nn.Module,
    tmp_path: Path,
) -> None:
    module = load(tiny.motion_module(tmp_path))
    network = controlnet_file.load(tiny.controlnet(tmp_path), diffusers_unet)
    heard: list[Tensor] = []
    network.register_forward_pre_hook(lambda _network, args: heard.append(args[2]))
    control = ControlNet(network, list(torch.rand(FRAMES, 8 * HEIGHT, 8 * WIDTH, 3).numpy()))
    with attached(unet, module, FRAMES), controlnet_attached(unet, control):
        plain = RUN[kind](unet, called(BASE))
        with by_region(unet):
            made = RUN[kind](unet, called(with_people(BASE, [ONE, OTHER])))
    assert torch.equal(heard[0], heard[1]), "a ControlNet hears the text of the whole picture"
    assert (made - plain).norm() / plain.norm() > 0.01


def test_after_an_exception_nothing_is_left(kind: str, unet: nn.Module) -> None:
    expected, before = RUN[kind](unet, called(BASE)), set(vars(unet))
    hooks = [len(each._forward_hooks) + len(each._forward_pre_hooks) for each in unet.modules()]
    right = called(with_people(BASE, [ONE, OTHER]))
    wrong = {name: torch.cat([value, value[:2]]) for name, value in right.items()}
    with pytest.raises(ValueError, match="6 pictures, which are not whole videos of 4 frames"), by_region(unet):
        RUN[kind](unet, wrong)
    assert hooks == [len(each._forward_hooks) + len(each._forward_pre_hooks) for each in unet.modules()]
    assert set(vars(unet)) == before
    assert torch.equal(RUN[kind](unet, called(BASE)), expected)
