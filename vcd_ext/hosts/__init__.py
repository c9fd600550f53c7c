"""Hosts lend the core a diffusion model. Import the one you need: `diffusers` or `webui`."""
