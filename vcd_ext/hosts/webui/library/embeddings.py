"""Find and write the WebUI's embeddings, and let it know of them."""

from collections.abc import Mapping
from pathlib import Path

from modules import processing, sd_hijack, shared
from torch import Tensor

from vcd_ext.identity.embedding import SUFFIXES as EMBEDDING_SUFFIXES
from vcd_ext.identity.embedding import save_embedding
from vcd_ext.identity.library import check_free
from vcd_ext.storage import walk


def embedding_names() -> list[str]:
    """Return the embeddings that fit the loaded checkpoint; before one is loaded, all files that may be embeddings."""
    database = sd_hijack.model_hijack.embedding_db
    if database.expected_shape == -1:
        folders = [Path(folder) for folder in database.embedding_dirs]
        files = (path for folder in folders for path in walk.files(folder) if path.suffix in EMBEDDING_SUFFIXES)
        return sorted({path.stem for path in files}, key=str.lower)
    return list(database.word_embeddings)


def embedding_file(name: str, replace: bool) -> Path:
    """Return the file that the embedding `name` will be; ValueError as `check_free` if that is taken."""
    own = Path(shared.cmd_opts.embeddings_dir) / f"{name}.safetensors"
    folders = {own.parent, *map(Path, sd_hijack.model_hijack.embedding_db.embedding_dirs)}
    check_free(own, (path for folder in folders for path in walk.files(folder)), replace)
    _check_unknown(own, replace)
    return own


def _check_unknown(own: Path, replace: bool) -> None:
    """Raise ValueError if the WebUI knows an embedding of that name by another file, such as a picture."""
    database = sd_hijack.model_hijack.embedding_db
    for known, embedding in (database.word_embeddings | database.skipped_embeddings).items():
        file = Path(getattr(embedding, "filename", None) or known)
        if known.lower() == own.stem.lower() and file.is_file() and not (replace and file.resolve() == own.resolve()):
            raise ValueError(
                f"There is already an embedding called {known}: {file}. Use another name, or delete that file."
            )


def add_embedding(path: Path, vectors: Tensor, metadata: Mapping[str, str]) -> None:
    """Write vectors [k, 768] as an embedding to its `embedding_file`, and let the WebUI know it.

    The caller holds the WebUI's queue lock. ValueError or OSError in one sentence if it cannot be written.
    """
    save_embedding(path, vectors, metadata)
    reload_embeddings()


def reload_embeddings() -> None:
    """Read all embeddings again and forget what was made of the last prompts, which may hold an older version.

    The caller holds the WebUI's queue lock: a run that is under way reads the database, which is empty for a moment.
    """
    # Forced: a file that was overwritten in place does not change the folder's time, by which the WebUI goes.
    sd_hijack.model_hijack.embedding_db.load_textual_inversion_embeddings(force_reload=True)
    # The cache of prompts compares words and settings, not what an embedding holds.
    for owner, names in (
        (processing.StableDiffusionProcessing, ("cached_c", "cached_uc")),
        (processing.StableDiffusionProcessingTxt2Img, ("cached_hr_c", "cached_hr_uc")),
    ):
        for name in names:
            setattr(owner, name, [None, None])
