"""What every host shares."""
