"""Photos of an identity: read, masked, cropped, flipped."""
