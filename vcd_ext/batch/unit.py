"""Units of work: plain data, so that they can be done here, in another process or on another machine."""

from dataclasses import dataclass
from pathlib import Path

from vcd_ext.settings import NO_MODULE, GenerateSettings, TrainSettings, VideoSettings

TRAINING, VIDEO = "training", "video"


@dataclass(frozen=True)
class ModelFiles:
    """Name the files that a unit is done with; the keys of a plan have these names."""

    checkpoint: Path
    motion_module: Path | None = None
    embedding: tuple[Path, ...] = ()  # beside the identity that is meant
    loras: tuple[Path, ...] = ()  # files or folders, that prompts may ask for
    weights: tuple[Path, ...] = ()  # folders, of what finds masks, faces and words
    upscaler_weights: tuple[Path, ...] = ()
    tiled_controlnet: Path | None = None
    unet: Path | None = None  # in place of the checkpoint's: the weights of a diffusers UNet, as DreamBooth leaves them
    no_half: bool = False


@dataclass(frozen=True)
class Baseline:
    """Another method of learning a subject, for a comparison; `defaults` has what its authors and diffusers use."""

    kind: str  # one of BASELINES
    learning_rate: float
    rank: int = 4  # of a LoRA
    prior: int = 0  # pictures of the class that keep it what it is; 0: without prior preservation
    prior_weight: float = 1.0
    word: str = "sks"  # which stands for the subject, where no new word is learned


BASELINES = {
    "lora": Baseline("lora", 1e-4),
    "dreambooth": Baseline("dreambooth", 5e-6, prior=100),
    "custom_diffusion": Baseline("custom_diffusion", 1e-5, prior=100),
}


@dataclass(frozen=True)
class TrainingWork:
    """An identity to learn, or by a baseline what stands for one: then the unit's first file is what it changes."""

    models: ModelFiles
    settings: TrainSettings
    photos: Path  # a folder
    baseline: Baseline | None = None


@dataclass(frozen=True)
class VideoWork:
    """A video to make; its prompt has the identity's name, its seed is chosen."""

    models: ModelFiles
    picture: GenerateSettings
    video: VideoSettings
    embeddings: tuple[Path, ...] = ()
    identity: str = NO_MODULE  # the name of the one that is meant


@dataclass(frozen=True)
class Unit:
    """One thing that a plan makes."""

    name: str  # what it is, unlike all others: "videos/rex/in-the-snow_seed1"
    files: tuple[Path, ...]
    digest: str  # of all that decides what is in the files, which carry it in their metadata
    work: TrainingWork | VideoWork
    needs: tuple[str, ...] = ()  # names of the units whose files it reads
    also: tuple[Path, ...] = ()  # files of its stages before the last, where somebody wants them

    @property
    def kind(self) -> str:
        """Return TRAINING or VIDEO."""
        return TRAINING if isinstance(self.work, TrainingWork) else VIDEO


@dataclass(frozen=True)
class UnitResult:
    """What became of a unit."""

    name: str
    seconds: float
    error: str = ""  # why there are no files, in a sentence
    notes: tuple[str, ...] = ()
