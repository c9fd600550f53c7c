"""The ID module: an identity learned as a few text embeddings (Magic-Me, arXiv 2402.09368 v1, section 4.2)."""

from typing import TYPE_CHECKING, Any

from vcd_ext.identity.embedding import load_embedding, save_embedding

if TYPE_CHECKING:
    from vcd_ext.identity.training.learned import Identity
    from vcd_ext.identity.training.train import train

__all__ = ["Identity", "load_embedding", "save_embedding", "train"]


def __getattr__(name: str) -> Any:
    """Return `train` or `Identity`, whose trainer is not loaded for who only reads an embedding or finds a mask."""
    if name in ("Identity", "train"):
        from vcd_ext.identity.training import train as trainer

        return getattr(trainer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
