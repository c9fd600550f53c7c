"""What the page says about a training."""

from dataclasses import replace

import pytest

from tests.identity.toy_host import PHOTOS
from tests.toy_studio import SETTINGS, ended, stopped_at
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.progress import ENCODING, TRAINING, Progress
from vcd_ext.ui.html import ACTIVE, note_list
from vcd_ext.ui.training_panel import ready_prompt, training_headline, training_panel


def running(progress: Progress | None) -> TrainingJob:
    job = TrainingJob("1", replace(SETTINGS, steps=200))
    if progress:
        job.report(progress)
    return job


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (None, "rexy: getting ready"),
        (Progress(ENCODING, 5, 96), "rexy: encoding photos 5 of 96"),
        (Progress(ENCODING, 48, 96, 10), "rexy: encoding photos 48 of 96, about 10 s left"),
        (Progress(TRAINING, 60, 200, 280, 0.1234), "rexy: training 60 of 200, loss 0.123, about 5 min left"),
    ],
)
def test_a_running_training_says_how_far_it_is(progress: Progress | None, line: str) -> None:
    assert training_headline(running(progress)) == line


def test_a_training_that_has_not_begun_says_what_it_waits_for() -> None:
    assert training_headline(running(None), "Waiting until the WebUI is done.") == "Waiting until the WebUI is done."


def test_a_training_that_was_asked_to_stop_says_so() -> None:
    job = running(Progress(TRAINING, 60, 200, 280, 0.1234))
    job.stop()
    assert training_headline(job).endswith("loss 0.123. Stopping after this step")


def test_ends_are_told(jobs: Jobs) -> None:
    stopped = stopped_at(jobs, 5)
    assert training_headline(stopped) == "rexy stopped at step 5 of 20. Resume it any time."
    done = ended(jobs.trainings.resume("rexy"))
    assert training_headline(done) == f"rexy is ready after 20 steps. Its file: {done.file}"
    failed = ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, name="dog", class_word="cat")))
    shown = training_panel(failed, None)
    assert "dog was not trained to the end." in shown
    assert "dog is a common word" in shown
    assert "vcd-error" in shown


def test_the_page_asks_for_news_only_while_something_is_done(jobs: Jobs) -> None:
    assert training_panel(None, None) == ""
    assert ACTIVE in training_panel(running(None), None)
    assert ACTIVE in training_panel(None, Progress("Finding masks", 1, 3))
    assert ACTIVE not in training_panel(ended(jobs.trainings.start(PHOTOS, SETTINGS)), None)


def test_each_answer_differs_from_the_last() -> None:
    assert training_panel(running(None), None) != training_panel(running(None), None)


def test_what_is_done_beside_trainings_is_told() -> None:
    assert "finding masks 1 of 3" in training_panel(None, Progress("Finding masks", 1, 3))
    assert "Saving an identity" in training_panel(None, Progress("Saving an identity", 0, 1))


def test_the_bar_is_as_long_as_what_is_done() -> None:
    assert "width: 30.0%" in training_panel(running(Progress(TRAINING, 60, 200)), None)


def test_words_of_others_are_no_html() -> None:
    assert (
        note_list(["<b>rex</b> & co"])
        == '<ul class="vcd-notes vcd-problem"><li>&lt;b&gt;rex&lt;/b&gt; &amp; co</li></ul>'
    )
    assert note_list([]) == ""


def test_a_ready_prompt_uses_the_words_of_the_training() -> None:
    assert ready_prompt("rexy", "dog") == "photo of rexy dog on the beach"
