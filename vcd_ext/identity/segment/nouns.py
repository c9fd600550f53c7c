"""Which class word to segment by, where the person has not written one: it is read from captions of the photos.

The paper asks GPT-4V to choose among the classes; here the head noun of a caption is looked up in a table.
"""

import re
from collections import Counter
from collections.abc import Iterable

from vcd_ext.identity.segment.coco import class_of

# What ends the noun phrase that a caption begins with: prepositions, relatives, and verbs as captions have them.
_END = re.compile(
    r"[,.;:]|\b(?:in|on|at|with|by|to|from|for|under|over|near|behind|beside|against|through|inside|outside|next|"
    r"that|which|who|whose|while|as|is|are|was|has|have|sits|stands|lies|lays|looks|looking|wears|holds|walks|runs|"
    r"plays|poses|jumps|sleeps|rests|smiles|stares|rides|eats)\b"
)
# What captions say that subjects do; "a smiling man" and "a painting" are other uses of that form.
_DOING = re.compile(r"(?<!\ba )(?<!\ban )(?<!\bthe )\b(?!(?:king|ring|building|painting|drawing)\b)[a-z]{2,}ing\b")
_ANOTHER = re.compile(r"\band (?:an?|the|his|her|their|two|three|some)\b")


def class_word(captions: Iterable[str]) -> str:
    """Return the class that most captions name; of several, the first. ValueError if no caption names any."""
    named = Counter(filter(None, map(head_class, captions)))
    if not named:
        raise ValueError("What the photos show was not recognised; write it in a word, for example dog.")
    return named.most_common(1)[0][0]


def head_class(caption: str) -> str | None:
    """Return the class of the thing that a caption is about: "a close up of a puppy on a bed" is about a "dog"."""
    for phrase in _phrases(caption.lower()):
        words = phrase.split()
        # From the end: in "a dog bed" the bed is meant. Two words first: a hot dog is no dog.
        for end in range(len(words), 0, -1):
            for length in (2, 1):
                if end >= length and (name := class_of(" ".join(words[end - length : end]))):
                    return name
    return None


def _phrases(caption: str) -> list[str]:
    """Return the noun phrase at a caption's beginning, in the parts that "of" joins: "a photo", "a man and a dog"."""
    caption = re.sub(r"^\s*(?:there (?:is|are)|this is|it is|arafed)\b", "", caption)
    end = min(
        (match.start() for match in (_END.search(caption), _DOING.search(caption)) if match), default=len(caption)
    )
    return [_ANOTHER.split(part)[0] for part in re.split(r"\bof\b", caption[:end])]
