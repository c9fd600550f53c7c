"""The subcommands of `python -m vcd_ext`, one file each."""
