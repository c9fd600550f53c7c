"""The report of an evaluation: one HTML file that needs no network, with tables, plots and clips beside the photos."""

import base64
import html
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from vcd_ext import __version__
from vcd_ext.batch.comparison import Figure, Figures, figures, paired_differences
from vcd_ext.batch.page import PAGE
from vcd_ext.batch.protocol import Person, Protocol
from vcd_ext.batch.results import Row, unmeasurable
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics.registry import find_measure
from vcd_ext.storage.atomic import atomically

EMBEDDED = 24_000_000  # bytes of clips that the page holds; more are linked, and must stay beside it
PHOTO, PHOTOS = 96, 8  # pixels; of each subject
WIDTH, LINE, LEFT = 620, 20, 220  # of a plot, in pixels
KINDS = {".mp4": "video/mp4", ".webm": "video/webm"}


def write_evaluation(protocol: Protocol, rows: Sequence[Row]) -> Path:
    """Write report.html into the protocol's folder; its path."""
    means, gaps = figures(protocol, rows), paired_differences(protocol, rows)
    clips = _Clips(protocol)
    page = PAGE.substitute(
        title=html.escape(protocol.title),
        version=__version__,
        counts=_counts(protocol, rows),
        means=_table(protocol, protocol.methods, means, best=True),
        notes=_notes(protocol),
        missing="".join(f"<p>{html.escape(sentence)}</p>" for sentence in unmeasurable(protocol).values()),
        reference=html.escape(protocol.reference),
        differences=_table(protocol, [name for name in protocol.methods if name != protocol.reference], gaps),
        plots="".join(_plot(protocol, measure, means) for measure in protocol.measures),
        subjects="".join(_subject(protocol, person, rows, clips) for person in protocol.subjects),
        extremes="".join(_extremes(protocol, measure, rows, clips) for measure in protocol.measures),
    )
    path = protocol.out / "report.html"
    with atomically(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def markdown(protocol: Protocol, rows: Sequence[Row]) -> str:
    """Return the table of means and that of differences, for a page of docs."""
    heads = [find_measure(name).label for name in protocol.measures]
    lines = []
    for title, methods, found in (
        ("", protocol.methods, figures(protocol, rows)),
        (f"minus {protocol.reference}", protocol.methods, paired_differences(protocol, rows)),
    ):
        lines += ["", f"| {' | '.join([title, *heads])} |", "|---" * (len(heads) + 1) + "|"]
        for method in methods:
            if (method, protocol.measures[0]) in found:
                cells = [str(found[method, name]) for name in protocol.measures]
                lines.append(f"| {' | '.join([method, *cells])} |")
    return "\n".join(lines[1:]) + "\n"


def _counts(protocol: Protocol, rows: Sequence[Row]) -> str:
    prompts = len({(row.cell.subject, row.cell.prompt) for row in rows})
    seeds, lost = len({row.cell.seed for row in rows}), sum(not row.values for row in rows)
    text = (
        f"{len(protocol.methods)} methods, {len(protocol.subjects)} subjects, {prompts} prompts of subjects, {seeds} "
        f"seeds: {len(rows)} videos"
    )
    return text + (f", of which {lost} could not be made or measured." if lost else ".")


def _notes(protocol: Protocol) -> str:
    said = {name: note for name, note in protocol.notes.items() if note}
    lines = "".join(f"<li><b>{html.escape(name)}</b>: {html.escape(note)}</li>" for name, note in said.items())
    return f"<ul>{lines}</ul>" if said else ""


def _table(protocol: Protocol, methods: Sequence[str], found: Figures, best: bool = False) -> str:
    heads = "".join(f"<th>{html.escape(_label(name))}</th>" for name in protocol.measures)
    lines = []
    for method in methods:
        cells = "".join(_cell(found[method, name], best and method == _best(name, methods, found))
                        for name in protocol.measures)  # fmt: skip
        lines.append(f"<tr><th>{html.escape(method)}</th>{cells}</tr>")
    return f"<table><tr><th></th>{heads}</tr>{''.join(lines)}</table>"


def _label(name: str) -> str:
    measure = find_measure(name)
    return measure.label + {1: " ↑", -1: " ↓", 0: ""}[measure.better]


def _best(measure: str, methods: Sequence[str], found: Figures) -> str:
    better = find_measure(measure).better
    there = [name for name in methods if found[name, measure].videos]
    return max(there, key=lambda name: better * found[name, measure].interval.mean, default="") if better else ""


def _cell(figure: Figure, best: bool) -> str:
    if not figure.videos:
        return "<td>none</td>"
    lost = f", {figure.without} NaN" if figure.without else ""
    mean = f"{figure.interval.mean:.3f}"
    mean = f"<b>{mean}</b>" if best else mean
    between = f"{figure.interval.low:.3f} to {figure.interval.high:.3f}"
    return f"<td>{mean}<small>{between}<br>{figure.videos} videos{lost}</small></td>"


def _plot(protocol: Protocol, measure: str, found: Figures) -> str:
    """Return one measure of all methods as SVG: a dot and a line for each mean and its interval."""
    there = [(name, found[name, measure].interval) for name in protocol.methods if found[name, measure].videos]
    if not there:
        return ""
    low, high = min(one.low for _, one in there), max(one.high for _, one in there)
    scale = (WIDTH - LEFT - 20) / ((high - low) or 1.0)
    marks = []
    for number, (name, one) in enumerate(there):
        y = 18 + LINE * number
        x, x0, x1 = (LEFT + (value - low) * scale for value in (one.mean, one.low, one.high))
        marks.append(
            f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{html.escape(name)}</text>'
            f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="{y}" y2="{y}"/><circle cx="{x:.1f}" cy="{y}" r="3.5"/>'
            f"<title>{html.escape(name)}: {one}</title>"
        )
    height = 36 + LINE * len(there)
    ends = (
        f'<text x="{LEFT}" y="{height - 6}">{low:.3g}</text>'
        f'<text x="{WIDTH - 20}" y="{height - 6}" text-anchor="end">{high:.3g}</text>'
    )
    return (
        f"<figure class=plot><figcaption>{html.escape(_label(measure))}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">{"".join(marks)}{ends}</svg></figure>'
    )


def _subject(protocol: Protocol, person: Person, rows: Sequence[Row], clips: "_Clips") -> str:
    """Return a subject's photos and one clip of it by each method, of one prompt and seed."""
    own = [row for row in rows if row.cell.subject == person.name]
    shown = own[0].cell if own else None
    one = [row for row in own if shown and (row.cell.prompt, row.cell.seed) == (shown.prompt, shown.seed)]
    figures_ = "".join(clips.figure(row, row.cell.method, protocol.measures) for row in one)
    photos = "".join(f'<img alt="" src="{source}">' for source in _photos(person))
    said = html.escape(f"{shown.prompt}, seed {shown.seed}") if shown else ""
    return (
        f"<h3>{html.escape(person.name)}, {html.escape(person.class_word)}</h3><div class=photos>{photos}</div>"
        f"<p>{said}</p><div class=clips>{figures_}</div>"
    )


def _photos(person: Person) -> Iterator[str]:
    for photo in read_photos(person.photos, masks=False).photos[:PHOTOS]:
        small, buffer = Image.fromarray(photo.pixels), io.BytesIO()
        small.thumbnail((PHOTO, PHOTO))
        small.save(buffer, "JPEG", quality=85)
        yield f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _extremes(protocol: Protocol, measure: str, rows: Sequence[Row], clips: "_Clips") -> str:
    """Return the best and the worst video of the reference by one measure."""
    better = find_measure(measure).better or 1
    own = [row for row in rows if row.cell.method == protocol.reference]
    there = sorted(
        (row for row in own if math.isfinite(row.values.get(measure, math.nan))),
        key=lambda row: better * row.values[measure],
    )
    if len(there) < 2:
        return ""
    names = ("highest", "lowest") if not find_measure(measure).better else ("best", "worst")
    ends = zip(names, (there[-1], there[0]), strict=True)
    shown = "".join(clips.figure(row, f"{name}: {row.cell.subject}", [measure]) for name, row in ends)
    return f"<h3>{html.escape(find_measure(measure).label)}</h3><div class=clips>{shown}</div>"


class _Clips:
    """Shows clips, within the page as long as there is room."""

    def __init__(self, protocol: Protocol):
        self.out, self.room = protocol.out, EMBEDDED

    def figure(self, row: Row, caption: str, measures: Sequence[str]) -> str:
        """Return a clip with what was measured of it and a link to its file."""
        link = quote(row.file.relative_to(self.out).as_posix())
        said = ", ".join(
            f"{html.escape(find_measure(name).label)} {row.values[name]:.3f}" for name in measures if name in row.values
        )
        return (
            f"<figure>{self._shown(row.file, link)}<figcaption><b>{html.escape(caption)}</b><small>"
            f'{html.escape(row.cell.prompt)}, seed {row.cell.seed}. {said} <a href="{link}">file</a></small>'
            "</figcaption></figure>"
        )

    def _shown(self, file: Path, link: str) -> str:
        if not file.is_file():
            return "<p>no video</p>"
        source, size = link, file.stat().st_size
        kind = KINDS.get(file.suffix, f"image/{file.suffix[1:]}")
        if size <= self.room:
            self.room -= size
            source = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
        if file.suffix in KINDS:
            return f'<video autoplay loop muted playsinline controls src="{source}"></video>'
        return f'<img alt="" src="{source}">'
