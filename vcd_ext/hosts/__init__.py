"""Hosts lend the core a diffusion model. Import the one you need: `standalone` (diffusers) or `webui`."""
