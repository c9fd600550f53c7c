"""What hosts with an LDM or diffusers UNet share; with them comes the shipped world's detector of faces."""

import vcd_ext.toyworld.detector  # noqa: F401 - registers it
