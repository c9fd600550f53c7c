"""Define what a video begins from and ends with, how it goes on, and what is put between its frames."""

from dataclasses import dataclass

from vcd_ext.settings.setting import CHANGED, NEVER, setting, span

MOST_TIMES = 4
FLOW, FILM = "flow", "FILM"


@dataclass(frozen=True)
class OnwardSettings:
    """Set up what goes on from pictures and videos that exist; `VideoSettings` has all of it."""

    start_picture: str = setting(
        "",
        "Start picture",
        "In txt2img: the video begins with exactly this picture, cut to the video's shape, and the other frames are "
        "painted beside it. In img2img the init image takes its place. In the API: a file in a folder that may be "
        "read, or in base64.",
        infotext=NEVER,
    )
    end_picture: str = setting(
        "",
        "End picture",
        "The same for the last frame; alone, with a start picture, or as the aim of a video that is continued.",
        infotext=NEVER,
    )
    from_picture: bool = setting(
        False,
        "Begin from the picture",
        "In img2img: the video begins from the init image, whose share falls from frame to frame; 'Denoising strength' "
        "says how much is painted anew, 0.75 and more is useful. It is on by itself where an end picture is given. On "
        "the command line the start picture takes the init image's place.",
        infotext=CHANGED,
    )
    latent_power: float = setting(
        1.0,
        "Latent power",
        "Of the picture that the video begins from: frame i has the share 1 - i^power / scale of it, else noise.",
        **span(0.1, 10, 0.1),
        infotext=CHANGED,
    )
    latent_scale: float = setting(
        32.0,
        "Latent scale",
        "After how many frames nothing is left of that picture, with a power of 1.",
        **span(1, 1024, 1, 128),
        infotext=CHANGED,
    )
    latent_power_last: float = setting(
        1.0,
        "Latent power of the end",
        "The same for the end picture, counted back from the last frame.",
        **span(0.1, 10, 0.1),
        infotext=CHANGED,
    )
    latent_scale_last: float = setting(
        32.0,
        "Latent scale of the end",
        "The same for the end picture, counted back from the last frame.",
        **span(1, 1024, 1, 128),
        infotext=CHANGED,
    )
    continue_video: str = setting(
        "",
        "Continue",
        "A video that is gone on with, in txt2img: its last frames are the first ones of what is made, and stay as "
        "they are; the file holds all of it. Size and 'FPS' must be its own. With 'FreeNoise' the new frames begin "
        "from its noise in another order; without, and with that video's seed, its noise goes on as if it had been "
        "longer from the first. In the API: a file in a folder that may be read, or in base64.",
        infotext=NEVER,
    )
    continue_frames: int = setting(
        4,
        "Frames to go on from",
        "How many of its last frames are known while the new ones are made; they count among 'Frames'. More hold on to "
        "the movement, and leave fewer new ones.",
        **span(1, 64, 1, 16),
        infotext=CHANGED,
    )
    interpolate: int = setting(
        1,
        "Interpolate",
        "Times the rate of the video's files: 2 makes 16 frames a second of 8, of the same length. Cuts are left "
        "alone, and the last frame stays until the end. The pictures in the gallery are those that were painted. 1 is "
        "off.",
        **span(1, MOST_TIMES, 1),
        infotext=CHANGED,
    )
    interpolate_by: str = setting(
        FLOW,
        "Interpolate by",
        "What finds the frames between two. 'flow' is optical flow (OpenCV's DIS), no network: good for small, steady "
        "movements; what turns or appears is blended. 'FILM' (arXiv 2202.04901) is a network for larger ones; its file "
        "film_net_fp16.pt, which Deforum brings, must be in models/Deforum/film_interpolation or models/FILM (on the "
        "command line in a folder of --weights).",
        choices=(FLOW, FILM),
        infotext=CHANGED,
    )

    def powers(self, first: bool, last: bool) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
        """Return power and scale of the first and of the last picture; None for one that is not there."""
        begin, end = (self.latent_power, self.latent_scale), (self.latent_power_last, self.latent_scale_last)
        return begin if first else None, end if last else None
