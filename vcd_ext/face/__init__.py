"""Face VCD (arXiv 2402.09368 v1, section 4.3): faces of a video painted anew, as a video, with their identity.

`find_people` says who is where, `sheet` shows them with their numbers, so that a person can say who is who, and
`restore` repairs them; by itself it does all of it.
"""

from vcd_ext.face.contact_sheet import sheet
from vcd_ext.face.detect import Detection, Detector, detector
from vcd_ext.face.restore import restore
from vcd_ext.face.track.find import find_people
from vcd_ext.face.track.track import Track, boxes_of

__all__ = ["Detection", "Detector", "Track", "boxes_of", "detector", "find_people", "restore", "sheet"]
