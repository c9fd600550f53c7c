"""The identities as cards."""

import base64
import io
import re
from pathlib import Path

from PIL import Image

from tests.identity.toy_host import PHOTOS
from vcd_ext.identity import library
from vcd_ext.identity.library import StoredIdentity
from vcd_ext.ui.cards import EMPTY, SIDE, cards, size


def test_a_card_says_what_the_identity_is_and_shows_it(tmp_path: Path) -> None:
    picture = tmp_path / "rex.preview.png"
    Image.new("RGB", (256, 256), (200, 30, 30)).save(picture)
    html = cards([StoredIdentity(tmp_path / "rex.safetensors", "dog", 200, 12_700, picture)])
    assert "<b>rex</b>" in html
    assert "dog, 200 steps, 12.4 KB" in html
    data = re.search(r"data:image/jpeg;base64,([^\"]+)", html)
    assert data is not None
    with Image.open(io.BytesIO(base64.b64decode(data[1]))) as shown:
        assert shown.size == (SIDE, SIDE)


def test_without_a_picture_or_with_a_damaged_one_it_shows_the_initial(tmp_path: Path) -> None:
    (tmp_path / "odd.png").write_bytes(b"?")
    whole = library.save_picture(tmp_path / "rex.safetensors", PHOTOS[0]).read_bytes()
    shorter = whole[:33] + (100).to_bytes(4, "big") + whole[37:]  # of its pixels; Pillow calls that a SyntaxError
    (tmp_path / "shorter.png").write_bytes(shorter)
    for picture in (None, tmp_path / "odd.png", tmp_path / "shorter.png", tmp_path / "gone.png"):
        html = cards([StoredIdentity(tmp_path / "rex.safetensors", "dog", 200, 12_700, picture)])
        assert '<div class="vcd-initial">R</div>' in html


def test_words_of_others_are_no_html() -> None:
    assert "<script" not in cards([StoredIdentity(Path("a.safetensors"), "<script>", 1, 1, None)])


def test_an_empty_shelf_says_what_will_be_there() -> None:
    assert EMPTY in cards([])


def test_sizes_are_said_as_people_say_them() -> None:
    assert [size(12_700), size(2**20 * 3 // 2)] == ["12.4 KB", "1.5 MB"]
