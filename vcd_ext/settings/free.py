"""Define what is done to the noise that a video begins from, beside the noise prior: FreeNoise and FreeInit."""

from dataclasses import dataclass

from vcd_ext.settings.setting import CHANGED, setting, span


@dataclass(frozen=True)
class FreeSettings:
    """Set up FreeNoise (arXiv 2310.15169) and FreeInit (arXiv 2312.07537); `VideoSettings` has all of it."""

    freenoise: bool = setting(
        True,
        "FreeNoise",
        "Of a video longer than 'Context': what comes later begins from the noise of the first window, in another "
        "order, so that it goes on showing the same (arXiv 2310.15169). Without effect where one window is enough, "
        "except in 'Continue': there the new frames begin from the noise of the earlier ones, and the seam is smaller. "
        "Off, every frame has noise of its own: livelier, and after some windows somebody else.",
        infotext=CHANGED,
    )
    freeinit: int = setting(
        0,
        "FreeInit",
        "How many times a video from text is sampled again, each time from its own slow frequencies and fresh fast "
        "noise (arXiv 2312.07537): steadier, less lively. Each takes as long as the video; 0 is off.",
        **span(0, 10, 1, 5),
        infotext=CHANGED,
    )
    freeinit_cutoff: float = setting(
        0.25,
        "FreeInit cutoff",
        "Up to which share of the fastest frequency FreeInit keeps what was there. More holds on to it more firmly.",
        **span(0.05, 1.0, 0.05),
        infotext=CHANGED,
    )
