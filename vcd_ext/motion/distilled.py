"""What motion modules that are distilled for a few steps want to be run with, by their authors' examples.

AnimateLCM (Wang et al., arXiv 2402.00769; the authors' model card): LCM, 6 steps, CFG 2, its LoRA at 0.8.
AnimateDiff-Lightning (Lin and Yang, arXiv 2403.12706; the authors' model card): Euler with times spaced from the end
("trailing"), as many steps as the file's name says, no guidance.
"""

import re
from dataclasses import dataclass
from pathlib import Path

LIGHTNING_STEPS = 4  # where the file's name does not tell
LORA = "AnimateLCM_sd15_t2v_lora"
_STEPS = re.compile(r"(\d+)[-_ ]?step", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """Hold what a module wants: sampler and schedule as the WebUI names them, steps, CFG scale, and a LoRA or ""."""

    version: str
    sampler: str
    schedule: str
    steps: int
    cfg_scale: float
    lora: str = ""
    lora_weight: float = 1.0

    def __str__(self) -> str:
        """Say it, as part of a sentence."""
        schedule = "" if self.schedule == "Automatic" else f" with schedule {self.schedule}"
        lora = f", and <lora:{self.lora}:{self.lora_weight:g}> in the prompt" if self.lora else ""
        count = f"{self.steps} step{'s' * (self.steps > 1)}"
        return f"sampler {self.sampler}{schedule}, {count}, CFG scale {self.cfg_scale:g}{lora}"


def wanted(version: str, name: str) -> Wanted | None:
    """Return what a module wants; None for one that takes any sampler. name: its file's, which may tell the steps."""
    if version == "AnimateLCM":
        return Wanted(version, "LCM", "Automatic", 6, 2.0, LORA, 0.8)
    if version == "Lightning":
        told = _STEPS.search(Path(name).name)
        return Wanted(version, "Euler", "SGM Uniform", int(told[1]) if told else LIGHTNING_STEPS, 1.0)
    return None


def advice(version: str, name: str, sampler: str, steps: int, cfg_scale: float) -> str:
    """Return a sentence where a distilled module is run with what it cannot do well; "" where it is not.

    sampler: as the WebUI names it. Steps may be a few more than the authors' for AnimateLCM, as they may for LCM.
    """
    want = wanted(version, name)
    if want is None:
        return ""
    most = want.steps if version == "Lightning" else 2 * want.steps
    fits = sampler == want.sampler and steps <= most and cfg_scale <= want.cfg_scale + 1
    said = f"{Path(name).stem} is {version}, which is made for {want}; with other settings it is blurred or burnt."
    return "" if fits else said
