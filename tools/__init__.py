"""Scripts that make and train what the project ships; nothing in `vcd_ext` imports them."""
