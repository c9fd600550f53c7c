"""Where the weights of encoders lie: in folders that a person names, else in libraries' caches; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EncoderFile:
    """Names by which an encoder's weights are known."""

    what: str  # "CLIP ViT-B/32"
    folder: str  # within a folder that is searched: "clip"
    names: tuple[str, ...]  # of its files there, those of authors first
    caches: tuple[Path, ...]  # folders in which libraries keep files of these names
    hub: tuple[tuple[str, str], ...]  # repositories and files that the hub's library may have cached
    source: str  # where a person gets it


def find_encoder(file: EncoderFile, folders: Sequence[Path]) -> Path | None:
    """Find the weights in a folder, in `file.folder` within one, or in a library's cache; None without."""
    places = [place for folder in folders for place in (folder / file.folder, folder)]
    named = (place / name for place in [*places, *file.caches] for name in file.names)
    return next((path for path in named if path.is_file()), None) or next(_cached(file), None)


def missing_encoder(file: EncoderFile, folders: Sequence[Path]) -> str:
    """Return the sentence that says which file is missing and where it was looked for; "" if it is there."""
    if find_encoder(file, folders):
        return ""
    places = [*(f"{folder} and its folder {file.folder}" for folder in folders), *map(str, file.caches)]
    hubs = "".join(f", nor is {name} of {hub} in the cache of huggingface_hub" for hub, name in file.hub[:1])
    return (
        f"The weights of {file.what} are missing: none of {', '.join(file.names)} is in {', '.join(places)}{hubs}; "
        f"get {file.source} and put it into one of these folders."
    )


def _cached(file: EncoderFile) -> Iterator[Path]:
    from huggingface_hub import try_to_load_from_cache  # here, because importing it takes a while

    for repository, name in file.hub:
        found = try_to_load_from_cache(repository, name)  # looks at the disk alone
        if isinstance(found, str) and Path(found).is_file():
            yield Path(found)
