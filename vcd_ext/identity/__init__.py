"""The ID module: an identity learned as a few text embeddings (Magic-Me, arXiv 2402.09368 v1, section 4.2)."""

from vcd_ext.identity.embedding import load_embedding, save_embedding
from vcd_ext.identity.training.train import Identity, train

__all__ = ["Identity", "load_embedding", "save_embedding", "train"]
