"""What is asked: requests drawn by hypothesis from the description of the API, and what nobody should send."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

# Where a value costs time or memory, those that are right are small.
SMALL: dict[str, tuple[float, float]] = {
    "steps": (1, 3), "size": (64, 96), "batch": (1, 2), "tokens": (1, 4), "variants": (1, 3), "frames": (1, 4),
    "context": (4, 8), "overlap": (0, 1), "context_overlap": (0, 1), "tile": (64, 128), "tile_overlap": (8, 16),
    "tiled_tile": (64, 128),
    "tiled_tile_overlap": (8, 16), "face_size": (64, 96), "fps": (1, 30), "validate_every": (1, 3), "scale": (1, 2),
}  # fmt: skip
LONGEST = 60_000
HOSTILE_TEXTS = (
    "", " ", "\0", "a\0b.mp4", "../../../etc/passwd", "/etc/passwd", "/", "..", "~", "~root", "C:\\Windows\\win.ini",
    "\\\\host\\share", "file:///etc/passwd", "http://127.0.0.1:1/", "//", "/dev/zero", "/dev/stdin", "con", ".",
    "/proc/self/environ", "x" * LONGEST, "\ud800", "\u202e", "é" * 300, "名前", "<script>alert(1)</script>", "${7*7}",
    "{0.__class__}", "%s%n", "data:;base64,", "data:video/mp4;base64,AAAA", "base64,", "AAAAGGZ0eXBpc29t",
    "<lora:a:1>", "(((", "a AND b", "BREAK", "1: rex; 2: -", "1:;;:", "\n", "none",
)  # fmt: skip
HOSTILE = st.one_of(
    st.sampled_from([None, True, False, [], {}, [[]], {"": None}, 0, -1, 1e308, -1e308, 2**31, 2**63, 2**70, -(2**70)]),
    st.sampled_from([float("nan"), float("inf"), float("-inf"), 0.5, "1", "NaN", "true"]),
    st.sampled_from(HOSTILE_TEXTS),
    st.text(max_size=40),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
    ),
)
TYPES = ("application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data", "")


class Asked(NamedTuple):
    """One request. {id} in the path stands for a job that was begun before, if there is one."""

    method: str
    path: str
    body: Any = None
    kind: str = "application/json"
    stopped: bool = False  # whether the job that it begins is cancelled at once


class Given(NamedTuple):
    """Files and names that are right."""

    names: Mapping[str, Sequence[str]]  # by the setting that takes them
    videos: Sequence[str]
    photos: Sequence[str]
    secrets: Sequence[str]  # paths that nobody may read


def given(
    names: Mapping[str, Sequence[str]], films: Sequence[Path], photos: Sequence[Path], outside: Sequence[Path]
) -> Given:
    """Return the values that requests are made of, from files."""
    texts = [base64.b64encode(path.read_bytes()).decode() for path in films]
    pictures = [base64.b64encode(path.read_bytes()).decode() for path in photos]
    videos = [*map(str, films), *texts, *(f"data:video/mp4;base64,{text}" for text in texts)]
    return Given(names, videos, pictures, [str(path) for path in outside])


def requests(
    description: Mapping[str, Any], video_settings: Mapping[str, Any], known: Given
) -> st.SearchStrategy[Asked]:
    """Draw requests to all of VCD's paths in the WebUI's description, and to txt2img and img2img with its settings."""
    ways = [
        _request(method, path, operation, known)
        for path, operations in description["paths"].items()
        if path.startswith("/vcd/")
        for method, operation in operations.items()
    ]
    generations = [_generation(path, video_settings, known) for path in ("txt2img", "img2img")] * 2
    return _one_of(*ways, *generations)


def _request(method: str, path: str, operation: Mapping[str, Any], known: Given) -> st.SearchStrategy[Asked]:
    content = operation.get("requestBody", {}).get("content", {})
    body: st.SearchStrategy[Any] = st.just({}) if method == "post" else st.none()
    if content:
        shape = _value("", content["application/json"]["schema"], known)
        body = _often(_often(shape, _spoiled(shape)), HOSTILE)
    hole = st.sampled_from(["{id}"] * 12 + ["", "%00", "..%2f..", "x" * 3000, "%ff", "1", "?"])
    query = st.sampled_from(["", "", "?keep=true", "?keep=perhaps", "?files=false", "?files=%00", "?a[]=1"])
    where = st.builds(lambda identifier, asked: path.replace("{identifier}", identifier) + asked, hole, query)
    kind = st.sampled_from([TYPES[0]] * 12 + list(TYPES))
    return st.builds(Asked, st.just(method.upper()), where, body, kind, st.booleans())


def _generation(path: str, schema: Mapping[str, Any], known: Given) -> st.SearchStrategy[Asked]:
    properties = {name: one for name, one in schema["properties"].items() if (name, path) != ("video", "txt2img")}
    settings = _value("", {**schema, "properties": properties}, known)
    spoiled = _often(settings, _spoiled(settings))
    args = _often(spoiled.map(lambda one: [one | {"enabled": True} if isinstance(one, dict) else one]), HOSTILE)
    listed = st.lists(HOSTILE, max_size=30)

    def asked(vcd: Any) -> Asked:
        body: dict[str, Any] = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "sampler_name": "Euler",
                                "send_images": False, "save_images": False}  # fmt: skip
        body["alwayson_scripts"] = {"VCD": {"args": vcd if isinstance(vcd, list) else [vcd]}}
        if path == "img2img":
            body |= {"init_images": [known.photos[0]], "denoising_strength": 0.5}
        return Asked("POST", f"/sdapi/v1/{path}", body)

    return _one_of(args, args, args, args, args, listed).map(asked)


def _value(name: str, schema: Mapping[str, Any], known: Given) -> st.SearchStrategy[Any]:
    """Values that the schema allows, small ones; of names and files, those that are there."""
    if name in known.names:
        return st.sampled_from(list(known.names[name]))
    if name == "video":
        return _often(st.sampled_from(known.videos), st.sampled_from(known.secrets))
    if name == "photos":
        pictures = st.lists(st.sampled_from(known.photos), min_size=1, max_size=3)
        return _often(pictures, st.sampled_from(known.secrets))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _of_type(name, schema, known)


def _of_type(name: str, schema: Mapping[str, Any], known: Given) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "object":
        parts = {key: _value(key, inner, known) for key, inner in schema["properties"].items()}
        needed = {key for key in parts if key in schema.get("required", ()) or key in ("video", "photos", *SMALL)}
        return st.fixed_dictionaries(
            {key: parts[key] for key in needed}, optional={key: parts[key] for key in parts if key not in needed}
        )
    if kind == "array":
        return st.lists(_value("", schema["items"], known), min_size=1, max_size=3)
    if kind in ("integer", "number"):
        low, high = SMALL.get(name, (schema.get("minimum", 0), min(schema.get("maximum", 10), 1000)))
        if kind == "number":
            return st.floats(low, high)
        step = 8 if low % 8 == high % 8 == 0 else 1  # sizes in pixels
        return st.integers(int(low) // step, int(high) // step).map(lambda number: number * step)
    if kind == "boolean":
        return st.just(False) if name in ("resume", "discard", "replace") else st.booleans()
    return st.sampled_from(["a photo of a dog", "dog, (sleeping:1.2)"]) if "prompt" in name else st.just("")


def _spoiled(shape: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One value of an object, or of an object in it, replaced by what nobody should send; or a key too many."""

    @st.composite
    def spoiled(draw: st.DrawFn) -> Any:
        whole = dict(draw(shape))
        inner = whole
        if isinstance(whole.get("settings"), dict) and draw(st.booleans()):
            inner = whole["settings"] = dict(whole["settings"])
        keys = [key for key in inner if key not in SMALL or draw(st.booleans())]
        key = draw(st.sampled_from([*keys, "more", "\0", "__class__"]))
        # What costs time is spoiled by what is refused at once.
        inner[key] = draw(st.sampled_from([None, "many", -1, 2**70, [], {}]) if key in SMALL else HOSTILE)
        return whole

    return spoiled()


def _often(usual: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _one_of(usual, usual, usual, rare)


def _one_of(*ways: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of these, each as often; `st.one_of` would count what each of them is one of."""
    return st.sampled_from(ways).flatmap(lambda way: way)
