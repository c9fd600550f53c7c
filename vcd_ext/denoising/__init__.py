"""One UNet call over windows and tiles, ControlNet beside it, and what UNets of LDM and diffusers share."""
