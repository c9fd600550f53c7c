"""The measures of the paper, of the drawn world, and of motion."""
