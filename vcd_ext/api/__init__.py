"""The API of everything that takes long: trainings, Face VCD and Tiled VCD.

Whatever is wrong with a request is answered with one sentence: 409 while something else runs, 404 for a job that is
not known, 415 for a POST that is not JSON, 422 for the rest.
"""

from fastapi import APIRouter, Depends

from vcd_ext.api import trainings, videos
from vcd_ext.api.http import json_only
from vcd_ext.jobs.service import Jobs

PREFIX = "/vcd/v1"


def router(jobs: Jobs) -> APIRouter:
    """Make the routes of the jobs."""
    routes = APIRouter(prefix=PREFIX, dependencies=[Depends(json_only)])
    trainings.add_training_routes(routes, jobs)
    videos.add_video_routes(routes, jobs)
    return routes
