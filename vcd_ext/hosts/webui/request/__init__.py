"""One request of the WebUI for a video: what it brings, what is refused, and what is done to its `p`."""
