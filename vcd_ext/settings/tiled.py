"""Define the settings of Tiled VCD."""

from dataclasses import dataclass

from vcd_ext.settings.passes import DETECTORS, PassSettings
from vcd_ext.settings.people import PeopleSettings
from vcd_ext.settings.setting import InVideo, part_of_settings, setting, span, with_all_of

AUTO = "auto"
EVERYWHERE = "everywhere"


@dataclass(frozen=True)
@with_all_of(PeopleSettings)
class TiledSettings(PassSettings):
    """Set up Tiled VCD (arXiv 2402.09368 v1, section 4.3), twice the width and height: tab *Tiled VCD* and `tiled`."""

    denoise: float = setting(
        0.2,
        "Denoise",
        "How much detail is painted anew. 0.2 keeps what is there; from 0.35 on tiles may show things of their own.",
        **span(0.01, 1.0, 0.01),
        in_video=InVideo("Tiled denoise"),
    )
    elsewhere: str = setting(
        "",
        "Prompt elsewhere",
        "The prompt of tiles without the subject. Empty: the prompt without the identity's name.",
    )
    subject: str = setting(
        "auto",
        "Subject",
        "What finds the subject by its face, so that tiles without it get the prompt elsewhere and no second one "
        "appears in them. 'everywhere' looks for nothing; 'drawn' is for the drawn world that is shipped.",
        choices=(EVERYWHERE, *DETECTORS),
    )
    words: str = setting(
        "",
        "Instead of a face",
        "What to look for in place of a face, for example dog. Needs the weights of Grounding DINO.",
    )
    upscaler: str = setting(
        "",
        "Upscaler",
        "What doubles the pictures before they are denoised; empty: the best.",
        in_video=InVideo("Tiled upscaler"),
    )
    controlnet: str = setting(
        AUTO,
        "ControlNet",
        "A ControlNet Tile for SD1.5, which holds each tile to what the enlarged picture shows there, so that Denoise "
        "can be higher. 'auto' takes the one that is installed, if one is; 'none' does without.",
        in_video=InVideo("Tiled ControlNet"),
    )
    controlnet_weight: float = setting(
        1.0,
        "ControlNet weight",
        "How firmly it holds; 0 does without.",
        **span(0.0, 2.0, 0.05),
        in_video=InVideo("Tiled ControlNet weight"),
    )
    tile: int = setting(
        576,
        "Tile",
        "Side of the tiles in pixels. 576 makes four of 1024x1024; larger ones need more memory. The paper uses 512.",
        **span(64, 2048, 8, 1024),
        in_video=InVideo("Tile"),
    )
    tile_overlap: int = setting(
        128,
        "Tile overlap",
        "Pixels that neighbouring tiles share, less than a tile. The paper uses 0, which shows seams.",
        **span(0, 1024, 8, 256),
        in_video=InVideo("Tile overlap"),
    )
    keep_colours: float = setting(
        24.0,
        "Keep colours",
        "Light and colours coarser than this stay those of the input: sigma in pixels of a picture of 1024x1024. "
        "0 keeps nothing.",
        **span(0.0, 256.0, 1.0, 64),
    )

    @property
    def several(self) -> PeopleSettings:
        """Return who is in the video, where several people are."""
        return part_of_settings(PeopleSettings, self)
