"""What runs in the background for page and API: one queue, trainings, videos."""
