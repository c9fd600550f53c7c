"""Everything that page and API begin, see and stop: trainings and videos in one queue."""

from vcd_ext.jobs.comparison import Comparisons
from vcd_ext.jobs.queue import JobQueue
from vcd_ext.jobs.studio import Studio
from vcd_ext.jobs.trainings import Trainings
from vcd_ext.jobs.video import Videos


class Jobs(JobQueue):
    """The queue of a studio, with its trainings and videos."""

    def __init__(self, studio: Studio):
        super().__init__(studio)
        self.trainings, self.videos, self.comparisons = Trainings(self), Videos(self), Comparisons(self)
