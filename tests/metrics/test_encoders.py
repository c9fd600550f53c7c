"""CLIP's and DINO's measures are their formulas, on encoders written out by hand; files of others are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from open_clip import tokenize
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

import vcd_ext.metrics.measures  # noqa: F401 - registers them
from tests.metrics.encoders import WIDTH, clip_tensors, dino_tensors, write_encoders
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.metrics import clip
from vcd_ext.metrics.clip import B32, L14, ClipEncoder
from vcd_ext.metrics.cosine import mean_cosine, neighbour_cosine, pairs_cosine
from vcd_ext.metrics.dino import DinoEncoder
from vcd_ext.metrics.encoder_file import EncoderFile, find_encoder, missing_encoder
from vcd_ext.metrics.registry import MeasureContext, find_measure

Pixels = NDArray[np.uint8]
PAPER = ("dino", "clip_i", "clip_t", "dino_temporal", "clip_temporal")


def pictures(count: int, seed: int, height: int = 40, width: int = 56) -> Pixels:
    small = np.random.default_rng(seed).integers(0, 256, (count, 5, 7, 3), np.uint8)
    return np.stack([np.array(Image.fromarray(one).resize((width, height), Image.BICUBIC)) for one in small])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoders(tmp_path_factory.mktemp("encoders"))


@pytest.fixture(scope="module")
def subject() -> MeasureContext:
    photos = tuple(Photo(f"{k}.png", pixels) for k, pixels in enumerate(pictures(3, 7, 48, 48)))
    return MeasureContext("photo of rex dog, running", "rex", "dog", photos)


# The encoders, written out.


def seen(picture: Pixels, side: int, mean: tuple[float, ...], spread: tuple[float, ...]) -> Tensor:
    """Return a picture as both see it: the shorter side at `side`, 224 in the middle, normalised."""
    image = Image.fromarray(picture)
    scale = side / min(image.size)
    image = image.resize((int(image.width * scale), int(image.height * scale)), Image.BICUBIC)
    left, top = round((image.width - 224) / 2), round((image.height - 224) / 2)
    values = torch.tensor(np.array(image.crop((left, top, left + 224, top + 224)))).permute(2, 0, 1) / 255
    return (values - torch.tensor(mean)[:, None, None]) / torch.tensor(spread)[:, None, None]


def patches(values: Tensor, weight: Tensor) -> Tensor:
    """Return the patches [n, width] of a picture [3, 224, 224], row by row."""
    size = weight.shape[-1]
    parts = values.unfold(1, size, size).unfold(2, size, size).permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1)
    return parts @ weight.flatten(1).T


def norm(x: Tensor, tensors: dict[str, Tensor], name: str, eps: float) -> Tensor:
    off = x - x.mean(-1, keepdim=True)
    return (
        off / (off.square().mean(-1, keepdim=True) + eps).sqrt() * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]
    )


def attention(x: Tensor, qkv: tuple[Tensor, Tensor], out: tuple[Tensor, Tensor], causal: bool = False) -> Tensor:
    queries, keys, values = (x @ qkv[0].T + qkv[1]).view(len(x), 3, -1, 64).permute(1, 2, 0, 3)
    scores = queries @ keys.transpose(-1, -2) / 8
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores[0], dtype=torch.bool).triu(1), -torch.inf)
    return (scores.softmax(-1) @ values).transpose(0, 1).flatten(1) @ out[0].T + out[1]


def pair(tensors: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return tensors[f"{name}weight"], tensors[f"{name}bias"]


def clip_block(x: Tensor, tensors: dict[str, Tensor], block: str, causal: bool = False) -> Tensor:
    within = norm(x, tensors, f"{block}ln_1", 1e-5)
    x = x + attention(within, pair(tensors, f"{block}attn.in_proj_"), pair(tensors, f"{block}attn.out_proj."), causal)
    (wide, wide_bias), (back, back_bias) = (pair(tensors, f"{block}mlp.{name}.") for name in ("c_fc", "c_proj"))
    inner = norm(x, tensors, f"{block}ln_2", 1e-5) @ wide.T + wide_bias
    return x + (inner * (1.702 * inner).sigmoid()) @ back.T + back_bias  # OpenAI's QuickGELU


def clip_picture(tensors: dict[str, Tensor], picture: Pixels) -> NDArray[np.float32]:
    values = seen(picture, 224, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
    x = torch.cat([tensors["visual.class_embedding"][None], patches(values, tensors["visual.conv1.weight"])])
    x = norm(x + tensors["visual.positional_embedding"], tensors, "visual.ln_pre", 1e-5)
    for k in range(2):
        x = clip_block(x, tensors, f"visual.transformer.resblocks.{k}.")
    return np.asarray((norm(x[0], tensors, "visual.ln_post", 1e-5) @ tensors["visual.proj"]).numpy())


def clip_text(tensors: dict[str, Tensor], text: str) -> NDArray[np.float32]:
    tokens = tokenize([text])[0]
    x = tensors["token_embedding.weight"][tokens] + tensors["positional_embedding"]
    for k in range(2):
        x = clip_block(x, tensors, f"transformer.resblocks.{k}.", causal=True)
    last = norm(x, tensors, "ln_final", 1e-5)[int(tokens.argmax())]  # the end of the text has the highest number
    return np.asarray((last @ tensors["text_projection"]).numpy())


def dino_picture(tensors: dict[str, Tensor], picture: Pixels) -> NDArray[np.float32]:
    values = seen(picture, 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    x = patches(values, tensors["patch_embed.proj.weight"]) + tensors["patch_embed.proj.bias"]
    x = torch.cat([tensors["cls_token"][0], x]) + tensors["pos_embed"][0]
    for k in range(2):
        qkv, out, wide, back = (
            pair(tensors, f"blocks.{k}.{name}.") for name in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
        )
        x = x + attention(norm(x, tensors, f"blocks.{k}.norm1", 1e-6), qkv, out)
        inner = norm(x, tensors, f"blocks.{k}.norm2", 1e-6) @ wide[0].T + wide[1]
        x = x + (inner * 0.5 * (1 + torch.erf(inner / 2**0.5))) @ back[0].T + back[1]
    return np.asarray(norm(x[0], tensors, "norm", 1e-6).numpy())


def cosine(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    return float((one * other).sum() / ((one**2).sum() * (other**2).sum()) ** 0.5)


# The measures are the formulas of these.


@pytest.mark.parametrize(
    ("likeness", "temporal", "tensors", "encode"),
    [
        ("clip_i", "clip_temporal", clip_tensors(32), clip_picture),
        ("clip_i_l14", "clip_l14_temporal", clip_tensors(14, seed=1), clip_picture),
        ("dino", "dino_temporal", dino_tensors(), dino_picture),
    ],
    ids=["ViT-B/32", "ViT-L/14", "DINO"],
)
def test_measures_of_pictures_are_their_formulas(
    weights: Path,
    subject: MeasureContext,
    likeness: str,
    temporal: str,
    tensors: dict[str, Tensor],
    encode: Callable[[dict[str, Tensor], Pixels], NDArray[np.float32]],
) -> None:
    video = pictures(3, 5)
    frames, photos = ([encode(tensors, each) for each in some] for some in (video, [p.pixels for p in subject.photos]))
    found = {name: find_measure(name).load([weights], "cpu")(video, subject)
             for name in (likeness, temporal, f"{temporal}_pairs")}  # fmt: skip
    cosines = [cosine(f, r) for f in frames for r in photos]
    assert np.std(cosines) > 1e-3, "a measure that is the same for all pictures would be none"
    assert found[likeness] == pytest.approx(sum(cosines) / 9, abs=2e-5)
    one, two, three = frames
    assert found[temporal] == pytest.approx((cosine(one, two) + cosine(two, three)) / 2, abs=2e-5)
    all_pairs = (cosine(one, two) + cosine(two, three) + cosine(one, three)) / 3
    assert found[f"{temporal}_pairs"] == pytest.approx(all_pairs, abs=2e-5)


@pytest.mark.parametrize(("name", "tensors"), [("clip_t", clip_tensors(32)), ("clip_t_l14", clip_tensors(14, seed=1))])
def test_clip_t_is_the_cosine_with_the_text_without_the_name(
    weights: Path, subject: MeasureContext, name: str, tensors: dict[str, Tensor]
) -> None:
    video = pictures(2, 5)
    expected, named = (
        np.mean([cosine(clip_picture(tensors, frame), clip_text(tensors, text)) for frame in video])
        for text in ("photo of a dog, running", "photo of rex dog, running")
    )
    found = find_measure(name).load([weights], "cpu")(video, subject)
    assert found == pytest.approx(expected, abs=2e-5)
    assert abs(expected - named) > 1e-4


@pytest.mark.parametrize("name", ["dino_temporal", "dino_temporal_pairs", "clip_temporal", "clip_temporal_pairs"])
def test_a_still_video_is_wholly_consistent(weights: Path, name: str) -> None:
    still = np.repeat(pictures(1, 3), 4, axis=0)
    assert find_measure(name).load([weights], "cpu")(still, MeasureContext()) == pytest.approx(1, abs=1e-6)


def test_a_vector_that_is_no_number_is_told_and_not_left_out() -> None:
    good = np.eye(3)
    for bad in (np.nan, np.inf, 0.0):
        frames = good.copy()
        frames[1] = bad
        assert np.isnan([mean_cosine(frames, good), neighbour_cosine(frames), pairs_cosine(frames)]).all()
    assert np.isnan([mean_cosine(good, good[:0]), neighbour_cosine(good[:1]), pairs_cosine(good[:1])]).all()


def test_without_photos_or_text_there_is_no_likeness(weights: Path) -> None:
    video = pictures(2, 5)
    assert np.isnan(find_measure("clip_i").load([weights], "cpu")(video, MeasureContext("a dog")))
    assert np.isnan(find_measure("clip_t").load([weights], "cpu")(video, MeasureContext("")))


def test_a_video_and_photos_are_encoded_once_for_all_measures(
    weights: Path, subject: MeasureContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    computes = [find_measure(name).load([weights], "cpu") for name in ("clip_i", "clip_t", "clip_temporal")]
    asked: list[int] = []
    encode = ClipEncoder.pictures
    monkeypatch.setattr(ClipEncoder, "pictures", lambda self, some: asked.append(len(some)) or encode(self, some))
    for video in (pictures(2, 1), pictures(4, 2)):
        for compute in computes:
            compute(video, subject)
    assert asked == [2, 3, 4]


# Files.


def test_of_two_sizes_of_clip_neither_passes_for_the_other(tmp_path: Path) -> None:
    path = tmp_path / "ViT-B-32.safetensors"
    save_file(clip_tensors(14), path)
    with pytest.raises(ValueError, match=r"ViT-B-32\.safetensors is not CLIP ViT-B/32: its patches are 14 pixels"):
        ClipEncoder.load(B32, path)
    wider = clip_tensors(14) | {"visual.conv1.weight": torch.zeros(1280, 3, 14, 14)}  # as ViT-H/14's
    save_file(wider, path)
    with pytest.raises(ValueError, match=r"is not CLIP ViT-L/14: .* its width is 1280"):
        ClipEncoder.load(L14, path)


def test_what_is_damaged_or_something_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ViT-B-32.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="damaged or incomplete"):
        ClipEncoder.load(B32, path)
    tensors = clip_tensors(32)
    save_file({name: value for name, value in tensors.items() if "ln_final" not in name}, path)
    with pytest.raises(ValueError, match="it lacks parts of it; get https://"):
        ClipEncoder.load(B32, path)
    save_file(tensors | {"visual.proj": torch.full((WIDTH, 32), torch.nan)}, path)
    with pytest.raises(ValueError, match=r"values in 'visual\.proj' that are no numbers"):
        ClipEncoder.load(B32, path)
    other = tmp_path / "dino.pth"
    for wrong, why in (({"a": torch.zeros(1)}, "something else"),
                       (dino_tensors() | {"pos_embed": torch.zeros(1, 785, WIDTH)}, "784 of them"),
                       (dino_tensors() | {"head.weight": torch.zeros(1)}, "or has others")):  # fmt: skip
        torch.save(wrong, other)
        with pytest.raises(ValueError, match=f"dino.pth is not DINO ViT-S/16: .*{why}"):
            DinoEncoder.load(other)


class Part(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def program(tensors: dict[str, Tensor]) -> Part:
    """Return a module that holds tensors by these names."""
    whole = Part()
    for name, value in tensors.items():
        *path, last = name.split(".")
        part = whole
        for inner in path:
            if not hasattr(part, inner):
                part.add_module(inner, Part())
            part = part.get_submodule(inner)
        part.register_parameter(last, torch.nn.Parameter(value))
    return whole


def test_openais_program_is_read_for_its_tensors_and_no_other_program_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ViT-B-32.pt"
    torch.jit.script(program(clip_tensors(32))).save(str(path))
    with pytest.raises(ValueError, match="TorchScript"):
        ClipEncoder.load(B32, path)
    sha256 = clip.hashlib.sha256(path.read_bytes()).hexdigest()
    found = ClipEncoder.load(replace(B32, sha256=sha256), path).pictures(pictures(1, 0))
    assert np.allclose(found[0], clip_picture(clip_tensors(32), pictures(1, 0)[0]), atol=1e-4)


def test_hashes_are_those_that_open_clip_knows() -> None:
    from open_clip.pretrained import get_pretrained_url

    for kind, name in ((B32, "ViT-B-32"), (L14, "ViT-L-14")):
        assert get_pretrained_url(name, "openai") == kind.file.source


def test_weights_are_looked_for_in_folders_first_and_missing_ones_are_named(tmp_path: Path) -> None:
    file = EncoderFile("A", "clip", ("a.pt", "a.safetensors"), (tmp_path / "cache",), (), "https://a/a.pt")
    sentence = missing_encoder(file, [tmp_path / "mine"])
    for part in (
        "The weights of A are missing",
        "a.pt, a.safetensors",
        "mine and its folder clip",
        "cache",
        "https://",
    ):
        assert part in sentence
    for place in ("cache", "mine", "mine/clip"):  # the later ones come before
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.safetensors").touch()
        assert find_encoder(file, [tmp_path / "mine"]) == tmp_path / place / "a.safetensors"
    assert missing_encoder(file, [tmp_path / "mine"]) == ""


def test_the_papers_measures_are_there_and_never_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcd_ext.metrics.encoder_measures.find_encoder", lambda *_: None)
    monkeypatch.setattr("vcd_ext.metrics.encoder_file.find_encoder", lambda *_: None)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a weight was asked for on the network"))
    for name in PAPER:
        measure = find_measure(name)
        assert "are missing" in measure.missing([tmp_path])
        with pytest.raises(ValueError, match="are missing"):
            measure.load([tmp_path], "cpu")
