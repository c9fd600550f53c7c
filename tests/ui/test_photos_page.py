"""Photos that come while the page asks for news: Gradio loses what is uploaded when an answer comes meanwhile."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import APIResponse, JSHandle, Page, Route, expect

from tests.identity.toy_host import photo

# Names and contents in base64 -> what carries such files to where they are dropped.
CARRY = """(files) => {
    const transfer = new DataTransfer();
    for (const [name, content] of files) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], name, {type: 'image/png'}));
    }
    return transfer;
}"""
NEWS_COME = 8000  # milliseconds of the page's clock, more than from news to news
NEWS = "**/run/predict*"
CAPTIONS = ["rex0.png (no mask yet)", "rex1.png (no mask yet)"]


@pytest.fixture(scope="module")
def pictures(folder: Path) -> list[Path]:
    paths = [folder / f"rex{i}.png" for i in range(2)]
    for i, path in enumerate(paths):
        Image.fromarray(photo(i).pixels).save(path)
    return paths


@pytest.fixture(autouse=True)
def _no_photos(page: Page) -> Iterator[None]:
    page.locator("#vcd_train_clear").click()
    expect(page.locator("#vcd_train_gallery .caption-label")).to_have_count(0)
    yield
    page.unroute_all()


def test_photos_that_take_long_to_arrive_are_not_lost(page: Page, pictures: list[Path]) -> None:
    uploads = held_up(page)
    with page.expect_request("**/upload*"):
        page.locator("#vcd_train_photos input[type=file]").set_input_files(pictures)
    page.clock.run_for(NEWS_COME)
    page.wait_for_timeout(1000)  # in which an answer would come
    uploads[0].continue_()
    arrived(page)
    with page.expect_request(NEWS):  # which go on
        page.clock.run_for(NEWS_COME)


@pytest.mark.parametrize("dropped", [False, True], ids=["chosen", "dropped"])
def test_photos_that_come_while_news_are_on_their_way_are_not_lost(
    page: Page, pictures: list[Path], dropped: bool
) -> None:
    late: list[tuple[Route, APIResponse]] = []
    page.route(NEWS, lambda route: route.continue_() if late else late.append((route, route.fetch())))
    page.locator("#vcd_train_tick").evaluate("(button) => button.click()")
    while not late:
        page.wait_for_timeout(50)
    uploads = held_up(page)
    field = page.locator("#vcd_train_photos input[type=file]")
    if dropped:
        field.locator("..").dispatch_event("drop", {"dataTransfer": carried(page, pictures)})
    else:
        field.set_input_files(pictures)
    while not uploads:
        page.wait_for_timeout(50)
    route, answer = late[0]
    route.fulfill(response=answer)
    page.wait_for_timeout(500)
    uploads[0].continue_()
    arrived(page)


def held_up(page: Page) -> list[Route]:
    """Hold up the next upload; it goes on when it is told to."""
    uploads: list[Route] = []
    page.route("**/upload*", lambda route: route.continue_() if uploads else uploads.append(route))
    return uploads


def carried(page: Page, paths: list[Path]) -> JSHandle:
    """Return what the mouse carries when it drags these files."""
    return page.evaluate_handle(CARRY, [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths])


def arrived(page: Page) -> None:
    expect(page.locator("#vcd_train_gallery .caption-label")).to_have_text(CAPTIONS)
