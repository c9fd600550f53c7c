"""HTML of videos: what browsers can play is played, and names are no HTML."""

from pathlib import Path

from vcd_ext.ui.player import compared, links, send, url, video_html

ODD = Path("/a b/<i>'&.mp4")


def test_videos_play_and_animated_pictures_are_shown() -> None:
    assert '<video class="vcd-input" src="file=/a/walk.mp4"' in video_html(Path("/a/walk.mp4"))
    assert '<img class="vcd-input" src="file=/a/walk.gif"' in video_html(Path("/a/walk.gif"))
    assert video_html(Path("/a/walk.avi")) == video_html(Path("/a/frames")) == ""


def test_before_and_after_lie_over_each_other_with_a_slider() -> None:
    html = compared(Path("/a/in.mp4"), Path("/a/out.mp4"))
    assert html.count("<video") == 2
    assert 'class="vcd-before" src="file=/a/in.mp4"' in html
    assert 'class="vcd-after" src="file=/a/out.mp4"' in html
    assert 'class="vcd-cut" type="range"' in html


def test_files_are_linked_and_folders_are_named() -> None:
    html = links([Path("/a/out.mp4"), Path("/a/out")])
    assert '<a href="file=/a/out.mp4"' in html
    assert "<span>/a/out</span>" in html
    assert links([]) == ""


def test_names_are_no_html() -> None:
    assert url(ODD) == "file=/a%20b/%3Ci%3E%27%26.mp4"
    for html in (video_html(ODD), compared(ODD, ODD), links([ODD]), send(ODD, "face", "Face VCD")):
        assert "<i>" not in html
    assert 'data-path="/a b/&lt;i&gt;&#x27;&amp;.mp4"' in send(ODD, "face", "Face VCD")
