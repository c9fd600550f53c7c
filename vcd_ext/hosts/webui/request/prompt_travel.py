"""Let the WebUI's conditions travel between a prompt's key frames.

A prompt stays whole until the WebUI encodes it, so that infotext, styles, wildcards and X/Y/Z plots see what the person
wrote. Then its key frames are encoded, by the WebUI and through its cache, and each frame gets what lies between.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from modules import prompt_parser, shared
from modules.styles import merge_prompts

from vcd_ext.hosts.shared.people import with_people_behind
from vcd_ext.hosts.shared.prompt_travel import KeyFraming, Subprompt, travelled
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.people import RegionalTexts
from vcd_ext.prompt.travel import check_key_frames, styled, travels

# The WebUI's lists of prompts, and what people call them.
CALLED = {
    "all_prompts": "prompt",
    "all_negative_prompts": "negative prompt",
    "all_hr_prompts": "hires prompt",
    "all_hr_negative_prompts": "hires negative prompt",
}
STYLED = {"prompt": "prompt", "hr_prompt": "prompt", "negative_prompt": "negative", "hr_negative_prompt": "negative"}


class PeopleConds:
    """Hold the words of the people of a video and, once the WebUI has encoded them, how many tokens each text has."""

    def __init__(self, words: Sequence[str]):
        self.words = list(words)
        self.tokens: list[int] = []

    @classmethod
    def of(cls, regional: RegionalTexts | None) -> "PeopleConds | None":
        """Return that of a video; None for one without people."""
        return None if regional is None else cls(regional.words)


def refuse_wrong_key_frames(p: Any, frames: int) -> None:
    """Raise Refused, in one sentence, for a key frame that a video of so many frames cannot have."""
    for name, called in CALLED.items():
        for prompt in dict.fromkeys(getattr(p, name, None) or ()):
            try:
                check_key_frames(frames, {called: prompt})
            except ValueError as error:
                raise Refused(str(error)) from error


def travelling_conds(get_conds: Any, framing: KeyFraming, people: PeopleConds | None = None) -> Callable[..., Any]:
    """Return `get_conds_with_caching` that gives each frame the condition between its key frames.

    All frames are asked for with the same prompt; one without key frames is left to the WebUI, unless there are people
    with words of their own, which are put behind it.
    """

    def get(function: Any, required_prompts: Any, *args: Any, **kwargs: Any) -> Any:
        found = framing.read(required_prompts[0])
        if found is None and people is None:
            return get_conds(function, required_prompts, *args, **kwargs)
        prompts = required_prompts[:1] if found is None else found.texts
        words = () if people is None else people.words
        texts = prompt_parser.SdConditioning([*prompts, *words], copy_from=required_prompts)
        known = get_conds(function, texts, *args, **kwargs)
        guides = isinstance(known, prompt_parser.MulticondLearnedConditioning)
        if guides:
            keys = [[Subprompt(part.schedules, part.weight) for part in parts] for parts in known.batch]
        else:
            keys = [[Subprompt(schedule, 1.0)] for schedule in known]
        keys, heard = keys[: len(prompts)], [parts[0].schedule for parts in keys[len(prompts) :]]
        rows = keys * len(framing.numbers)
        if found is not None:
            places = [found.place(number) for number in framing.numbers]
            rows = travelled(keys, places, framing.mode, shared.sd_model.cond_stage_model_empty_prompt[0])
        if people is not None:
            people.tokens = [len(schedule[0].cond) for schedule in heard]
            rows = with_people_behind(rows, heard, silent=not guides)
        if not guides:
            return [row[0].schedule for row in rows]
        batch = [
            [prompt_parser.ComposableScheduledPromptConditioning(part.schedule, part.weight) for part in row]
            for row in rows
        ]
        return prompt_parser.MulticondLearnedConditioning(shape=(len(batch),), batch=batch)

    return get


def read_networks_once(p: Any, parse: Callable[[], None]) -> None:
    """Call a `parse_extra_network_prompts`; a network that stands at several key frames counts once, as first said."""
    parse()
    for prompts, name in (("prompts", "extra_network_data"), ("hr_prompts", "hr_extra_network_data")):
        texts = getattr(p, prompts, None)
        if texts and travels(texts[0]):
            setattr(p, name, _unrepeated(getattr(p, name)))


def _unrepeated(networks: Any) -> Any:
    once: dict[str, list[Any]] = defaultdict(list)
    for kind, asked in networks.items():
        first = {str((called.positional or called.items)[0]): called for called in asked[::-1]}
        once[kind] = list(first.values())[::-1]
    return once


def with_styles(p: Any) -> dict[str, Any]:
    """Return what replaces the prompts of `p`, and its styles, where these must go around key frames; {} if nowhere.

    The WebUI puts a style behind the prompt, where it would belong to the last key frame alone.
    """
    prompts = {name: value for name in STYLED if (value := getattr(p, name, None))}
    texts = [text for value in prompts.values() for text in (value if isinstance(value, list) else [value])]
    if not p.styles or not any(map(travels, texts)):
        return {}
    known = shared.prompt_styles
    made: dict[str, Any] = {"styles": []}
    for name in STYLED:
        value = getattr(p, name, None)
        if value is None or (value == "" and name.startswith("hr_")):  # "" there stands for the prompt
            continue
        get = known.get_style_prompts if STYLED[name] == "prompt" else known.get_negative_style_prompts
        styles = get(p.styles)
        made[name] = [_styled(text, styles) for text in value] if isinstance(value, list) else _styled(value, styles)
    return made


def _styled(prompt: str, styles: Sequence[str]) -> str:
    for style in styles:
        prompt = styled(prompt, style) if travels(prompt) else merge_prompts(style, prompt)
    return prompt
