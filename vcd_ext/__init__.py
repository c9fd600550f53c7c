"""Video Custom Diffusion (Magic-Me, arXiv 2402.09368 v1) for the AUTOMATIC1111 WebUI and the command line."""

__version__ = "0.1.0"
