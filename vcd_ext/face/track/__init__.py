"""Following each face through a video: detections become tracklets, smooth and without gaps."""
