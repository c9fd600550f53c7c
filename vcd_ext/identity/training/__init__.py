"""Learning the vectors of an identity (Magic-Me, arXiv 2402.09368 v1, section 3.2)."""
