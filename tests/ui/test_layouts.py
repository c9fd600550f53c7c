"""Values of the section VCD go to the settings that its controls are named after."""

from types import SimpleNamespace

import pytest

from vcd_ext.settings import SettingError, VideoSettings, describe, parse
from vcd_ext.ui.form import USUAL
from vcd_ext.ui.layouts import FACE, STAGE_ROWS, TILED, section_values


def test_each_value_goes_to_its_own_setting_though_the_page_has_no_control_for_some() -> None:
    usual = vars(VideoSettings())
    chosen = usual | {"fps": 5.0, "gamma": 0.3, "tiled_tile": 448, "save_stages": True, "tiled_upscaler": USUAL}
    for forgotten in describe(VideoSettings):
        names = [name for name in chosen if name not in (forgotten, "video")]
        settings = parse(VideoSettings, section_values(names, [chosen[name] for name in names]))
        expected = chosen | {"tiled_upscaler": "", forgotten: usual[forgotten]}
        assert vars(settings) == expected


def test_the_order_of_the_controls_is_theirs() -> None:
    names = ["gamma", "enabled", "frames"]
    assert section_values(names, [0.2, True, 5]) == {"gamma": 0.2, "enabled": True, "frames": 5}


def test_a_file_that_was_dropped_is_its_name() -> None:
    assert section_values(["video"], [SimpleNamespace(name="/tmp/walk.mp4")]) == {"video": "/tmp/walk.mp4"}


def test_a_dict_is_taken_as_it_is() -> None:
    assert section_values(["enabled", "frames"], [{"frames": 3}, 16]) == {"frames": 3}


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_values_is_refused(count: int) -> None:
    with pytest.raises(SettingError, match=f"2 controls, and {count} values"):
        section_values(["enabled", "frames"], [True] * count)


def test_the_section_shows_all_settings_of_the_stages_that_a_video_has() -> None:
    shown = {name for row in STAGE_ROWS for name in row}
    for layout in (FACE, TILED):
        known = {f"{layout.tab}_{name}" for name, setting in describe(layout.cls).items() if setting.in_video}
        assert known == {name for name in shown if name.startswith(f"{layout.tab}_")}
        assert known < describe(VideoSettings).keys()
