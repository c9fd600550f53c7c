"""What hangs on the WebUI's loaded checkpoint: its UNet, its text encoder, its samplers; all of it comes off again."""
