"""A detector for tests of those who are followed: two faces that change sides, from picture to picture."""


class Crossing:
    """Finds both faces; a bright picture moves them a little, so that what was looked at makes a difference."""

    def __init__(self, frames):
        self.frames, self.seen = frames, 0

    def __call__(self, picture):
        from vcd_ext.face import Detection

        height, width = picture.shape[:2]
        across = 0.1 + 0.6 * (self.seen % self.frames) / (self.frames - 1) + 0.1 * float(picture.mean()) / 255
        self.seen += 1
        places = [(across, 0.1), (0.8 - across, 0.4)]
        boxes = [(width * x, height * y, width * (x + 0.2), height * (y + 0.2)) for x, y in places]
        return [Detection(box, 0.9) for box in boxes]
