r"""Prompt travel: lines such as `0: open mouth` and `8: closed mouth` give frames of a video texts of their own.

What stands in the lines before them and after them belongs to all frames. A line is a key frame if it begins with a
number, a colon and a space, as in sd-webui-animatediff, or is a line of the `prompt_map` of
animatediff-cli-prompt-travel (`"0": "open mouth",`); `16:9` is none, nor is `2001\: a space odyssey`.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from vcd_ext.prompt.comments import without_comments
from vcd_ext.prompt.networks import NETWORK

_KEY = re.compile(r"\s*(?P<frame>-?\d+)\s*:(?:\s+(?P<text>.*))?")
_QUOTED = re.compile(r"\s*\"(?P<frame>-?\d+)\"\s*:\s*(?P<text>\"(?:[^\"\\]|\\.)*\")\s*,?\s*")
SHOWN = 40  # characters of a line that is quoted


class Place(NamedTuple):
    """Where a frame is between two key frames, by their numbers in `Travel.texts`."""

    before: int
    after: int
    share: float  # of the latter: 0 up to below 1


class Travel(NamedTuple):
    """The key frames of a prompt, in order."""

    frames: tuple[int, ...]  # at least one, from 0, rising
    texts: tuple[str, ...]  # the whole prompt of each

    def around(self, frames: int) -> "Travel":
        """Return the key frames of a closed loop of so many frames, in which the last one leads on to the first."""
        ends = self.frames[-1] - frames, self.frames[0] + frames
        return Travel((ends[0], *self.frames, ends[1]), (self.texts[-1], *self.texts, self.texts[0]))

    def place(self, frame: int) -> Place:
        """Find a frame among the key frames; before the first and after the last it has the text of that one."""
        after = bisect_right(self.frames, frame)
        if after in (0, len(self.frames)):
            end = max(after - 1, 0)
            return Place(end, end, 0.0)
        begin, end = self.frames[after - 1], self.frames[after]
        return Place(after - 1, after, (frame - begin) / (end - begin))


def travels(prompt: str) -> bool:
    """Return whether a prompt has lines of key frames, right or wrong ones."""
    return any(key is not None for _, key in _lines(prompt))


def travel(prompt: str, frames: int | None = None, called: str = "prompt") -> Travel | None:
    """Read the key frames of a prompt for a video of so many frames; None if it has none.

    prompt: without comments, if texts are asked for. frames: None for any number. called: what the prompt is called in
    errors. ValueError, in one sentence, for a key frame that is negative, beyond the end, there twice or apart from the
    others.
    """
    head, tail, keys = list[str](), list[str](), dict[int, str]()
    for line, key in _lines(prompt):
        if key is None:
            if line.strip(" ,\t\r"):
                (tail if keys else head).append(line)
            continue
        frame, text = key
        problem = _problem(frame, keys, tail, frames)
        if problem:
            raise ValueError(f"The {called} has the line '{_short(line)}', {problem}.")
        keys[frame] = text
    if not keys:
        return None
    order = tuple(sorted(keys))
    return Travel(order, tuple(_joined([*head, keys[frame], *tail]) for frame in order))


def check_key_frames(frames: int, prompts: Mapping[str, str]) -> None:
    """Raise ValueError, in one sentence, for a key frame that a video of so many frames cannot have.

    prompts: by what people call them.
    """
    for called, prompt in prompts.items():
        travel(prompt, frames, called)


def each_text(prompt: str, change: Callable[[str], str]) -> str:
    """Change a prompt, or the whole prompt of each of its key frames; ValueError as `travel`."""
    found = travel(without_comments(prompt))
    if found is None:
        return change(prompt)
    return "\n".join(f"{frame}: {change(text)}" for frame, text in zip(*found, strict=True))


def styled(prompt: str, style: str) -> str:
    """Put a style of the WebUI around key frames, for all of them: behind them, or where it has `{prompt}`."""
    before, placeholder, after = style.partition("{prompt}")
    around = (before, prompt, after) if placeholder else (prompt, style)
    return "\n".join(text for text in around if text.strip())


def network_notes(prompt: str) -> list[str]:
    """Return a sentence for each network that only some key frames of a prompt ask for: all frames get it."""
    found = travel(prompt)
    asked: list[set[str]] = [set(_networks(text)) for text in (found.texts if found is not None else ("",))]
    return [
        f"{network} stands at a key frame; a network changes the model, so it is used in all frames."
        for network in sorted(asked[0].union(*asked) - asked[0].intersection(*asked))
    ]


def _networks(text: str) -> list[str]:
    return [match[0] for match in NETWORK.finditer(text)]


def _lines(prompt: str) -> Iterator[tuple[str, tuple[int, str] | None]]:
    """Yield the lines, with frame and text of those that are key frames."""
    for line in prompt.split("\n"):
        # As it is when the WebUI has taken them out: `0:<lora:name:1> a dog` is a key frame.
        networks, bare = _networks(line), NETWORK.sub("", line)
        if match := _KEY.fullmatch(bare):
            text = match["text"] or ""
        elif match := _QUOTED.fullmatch(bare):
            text = _unquoted(match["text"])
        yield line, None if match is None else (int(match["frame"]), " ".join([*networks, text]))


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:  # such as \(, which is no escape of JSON but one of prompts
        return text[1:-1]


def _problem(frame: int, keys: dict[int, str], tail: list[str], frames: int | None) -> str:
    if frame < 0:
        return "but frames count from 0"
    if frames is not None and frame >= frames:
        last = f"the video's last frame is {frames - 1}" if frames > 1 else "there is only frame 0"
        return rf"but {last}; name a frame of the video, or write '{frame}\:' if it is no key frame"
    if frame in keys:
        return f"but frame {frame} has a text already; give each key frame one line"
    if tail:
        return (
            f"but it stands after '{_short(tail[0])}', which is no key frame; put the key frames together, between "
            "what all frames share"
        )
    return ""


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def _joined(texts: list[str]) -> str:
    return ", ".join(filter(None, (text.strip(" ,\t\r") for text in texts)))
