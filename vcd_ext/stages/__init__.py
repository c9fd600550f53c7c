"""The stages behind text-to-video: the pipeline T2V, Face VCD, Tiled VCD, and video to video."""
