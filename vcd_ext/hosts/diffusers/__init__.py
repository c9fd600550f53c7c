"""The host of the command line: a checkpoint loaded with diffusers."""
