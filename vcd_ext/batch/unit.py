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
    no_half: bool = False


@dataclass(frozen=True)
class TrainingWork:
    """An identity to learn."""

    models: ModelFiles
    settings: TrainSettings
    photos: Path  # a folder


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
