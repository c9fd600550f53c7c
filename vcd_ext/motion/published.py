"""The motion modules that can be got by a button: where they come from, how large they are, and under which licence.

Sizes and SHA-256 are those of the files' Git LFS pointers, as their repositories, copies of them and projects that pin
them show; all agree. Licences are those that the repositories state, of AnimateLCM that of its code. Nothing that
forbids commercial use is here.
"""

from typing import NamedTuple

from vcd_ext.storage.download import WeightFile

_HUB = "https://huggingface.co"
FOLDER, LORA_FOLDER = "AnimateDiff", "Lora"  # within the WebUI's `models`


class PublishedModule(NamedTuple):
    """A motion module that others have published."""

    file: WeightFile
    licence: str
    about: str
    beside: tuple[WeightFile, ...] = ()  # what it is used with

    @property
    def files(self) -> tuple[WeightFile, ...]:
        """Return all that has to be brought."""
        return (self.file, *self.beside)

    @property
    def size(self) -> int:
        """Return the bytes of all of it."""
        return sum(file.size for file in self.files)

    @property
    def source(self) -> str:
        """Return the repository's page."""
        return self.file.url.partition("/resolve/")[0]


def _file(repository: str, name: str, size: int, sha256: str, folder: str = FOLDER) -> WeightFile:
    return WeightFile(name, folder, size, sha256, f"{_HUB}/{repository}/resolve/main/{name}")


PUBLISHED = (
    PublishedModule(
        _file(
            "guoyww/animatediff",
            "mm_sd_v15_v2.ckpt",
            1_817_888_431,
            "69ed0f5fef82b110aca51bcab73b21104242bc65d6ab4b8b2a2a94d31cad1bf0",
        ),
        "Apache 2.0",
        "AnimateDiff v2: the one to begin with",
    ),
    PublishedModule(
        _file(
            "guoyww/animatediff",
            "v3_sd15_mm.ckpt",
            1_673_262_583,
            "2412711886f61091846f53204aabc38aa6e09356d62a9808abe4daa802168343",
        ),
        "Apache 2.0",
        "AnimateDiff v3: calmer, less flicker",
    ),
    PublishedModule(
        _file(
            "wangfuyun/AnimateLCM",
            "AnimateLCM_sd15_t2v.ckpt",
            1_813_041_929,
            "b46c3de62e5696af72c4056e3cdcbea12fbc19581c0aad7b6f2b027851148f5f",
        ),
        "MIT (its code; the weights as Stable Diffusion)",
        "AnimateLCM and its LoRA: 4 to 8 steps of the sampler LCM",
        (
            _file(
                "wangfuyun/AnimateLCM",
                "AnimateLCM_sd15_t2v_lora.safetensors",
                134_621_556,
                "8f90d840e075ff588a58e22c6586e2ae9a6f7922996ee6649a7f01072333afe4",
                LORA_FOLDER,
            ),
        ),
    ),
    PublishedModule(
        _file(
            "ByteDance/AnimateDiff-Lightning",
            "animatediff_lightning_4step_comfyui.safetensors",
            908_929_664,
            "aeb66ae8ff4a868d31379c3bde3e5e7e510a4d4b565a06ee4f1297e93a561dc5",
        ),
        "CreativeML Open RAIL-M",
        "AnimateDiff-Lightning: 4 steps of Euler at CFG scale 1",
    ),
)


def published(name: str) -> PublishedModule:
    """Return a module by its file's name; ValueError for one that is not offered."""
    found = next((module for module in PUBLISHED if module.file.name == name), None)
    if found is None:
        raise ValueError(f"{name!r} is not offered; choose one of {', '.join(one.file.name for one in PUBLISHED)}.")
    return found
