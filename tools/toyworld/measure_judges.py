"""How often the judges are right, on renders that no training saw: clean ones, and ones softened as generated ones are.

    python -m tools.toyworld.measure_judges vcd_ext/toyworld/judges.safetensors

About 3 CPU minutes; prints a table and, with --out, writes it as JSON.

Identity: 200 unseen individuals of one kind, or 50 of each. Those to choose from are known by four pictures each in
four scenes by day, standing and waving, from near and plain; the mean of the four vectors counts. A query is one
picture in another scene, light and action, at the plain distance ("another light": sunset or night), or the same by
day.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vcd_ext.toyworld.judging import ACTIONS, KINDS, SCENES, Judges, load_judges

from .captions import DISTANCES
from .identity import SPLITS
from .softening import Frames, soften
from .world import Render, render, sample

GALLERY = (("beach", "standing", "plain"), ("meadow", "waving", "close"), ("street", "standing", "close"),
           ("room", "waving", "plain"))  # fmt: skip
QUERIES = (("desert", "running"), ("kitchen", "jumping"))
Shares = dict[str, float]


def main(arguments: list[str] | None = None) -> dict[str, dict[str, Shares]]:
    """Measure, print and return {what: {clean or softened: {group: share}}}."""
    parser = argparse.ArgumentParser(description="Measure the judges of the drawn world.")
    parser.add_argument("judges", type=Path)
    parser.add_argument("--out", type=Path, help="a JSON file for the results")
    parser.add_argument("--clips", type=int, default=240)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--individuals", type=int, default=200)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    judges = load_judges(options.judges)
    results: dict[str, dict[str, Shares]] = {}
    for look in ("clean", "softened"):
        soft = look == "softened"
        found = pictures(judges, options.pictures, soft) | actions(judges, options.clips, soft)
        found["identity"] = identities(judges, options.individuals, soft)
        for what, shares in found.items():
            results.setdefault(what, {})[look] = shares
            groups = "  ".join(f"{group} {share:.3f}" for group, share in shares.items())
            print(f"{look:9s} {what:10s} {groups}", flush=True)
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    return results


def pictures(judges: Judges, count: int, soft: bool) -> dict[str, Shares]:
    """Class and scene right; the overlap of mask and face box with the truth: over all, and at each distance."""
    records: list[dict[str, Any]] = []
    for k, drawn in enumerate(_drawn(count)):
        frames = _shown(drawn, k, soft)
        spec, detection = drawn.spec, judges.detect(frames[0])
        scores = judges.kinds(frames)[0], judges.scenes(frames)[0]
        records.append({
            "distance": spec.distance,
            "kind": KINDS[scores[0].argmax()] == spec.who.kind,
            "scene": SCENES[scores[1].argmax()] == spec.scene,
            "mask IoU": mask_overlap(detection.mask, drawn.masks[0, 0]),
            "face IoU": box_overlap(detection.face, drawn.face_boxes[0, 0]),
        })  # fmt: skip
    return {what: _by_distance(records, what) for what in ("kind", "scene", "mask IoU", "face IoU")}


def actions(judges: Judges, count: int, soft: bool) -> dict[str, Shares]:
    """Measure the share of right actions, of clips of 16 frames and of their first 8."""
    records = []
    for k in range(count):
        drawn = render(sample(200_000 + k, "test", action=ACTIONS[k % len(ACTIONS)], subjects=1))
        frames, spec = _shown(drawn, k, soft), drawn.spec
        whole, start = (ACTIONS[judges.actions(part).argmax()] for part in (frames, frames[:8]))
        records.append({
            "distance": spec.distance, "action": whole == spec.action, "action of 8": start == spec.action,
        })  # fmt: skip
    return {what: _by_distance(records, what) for what in ("action", "action of 8")}


def identities(judges: Judges, count: int, soft: bool) -> Shares:
    """How often the nearest of `count` individuals is the right one: within each kind, and all kinds mixed."""
    shares: Shares = {}
    mixed: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    for kind in KINDS:
        gallery, queries = known_individuals(judges, kind, count, soft), _asked(judges, kind, count, soft)
        for light, asked in queries.items():
            shares[f"{kind} {light}"] = _found(gallery, asked)
        part = count // len(KINDS)
        mixed.append((gallery[:part], queries["another light"][:, :part]))
    shares["mixed another light"] = _found(
        np.concatenate([g for g, _ in mixed]), np.concatenate([q for _, q in mixed], 1)
    )
    return shares


def _drawn(count: int) -> Iterator[Render]:
    for k in range(count):
        yield render(sample(100_000 + k, "test", subjects=1), [k % 16])


def _shown(drawn: Render, k: int, soft: bool) -> Frames:
    return soften(drawn.frames, np.random.default_rng([k, 9])) if soft else drawn.frames


def _by_distance(records: list[dict[str, Any]], what: str) -> Shares:
    groups = {"all": records} | {name: [r for r in records if r["distance"] == name] for name in DISTANCES}
    return {name: float(np.mean([r[what] for r in group])) for name, group in groups.items() if group}


def mask_overlap(found: Frames, true: Frames) -> float:
    """Intersection over union of two masks, uint8 [H, W]."""
    one, two = found >= 128, true >= 128
    return float((one & two).sum() / max((one | two).sum(), 1))


def box_overlap(found: tuple[float, ...] | None, true: NDArray[np.float32]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1; 0 where none was found."""
    if found is None:
        return 0.0
    sides = [max(min(found[k + 2], true[k + 2]) - max(found[k], true[k]), 0.0) for k in (0, 1)]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (found, true)]
    return float(sides[0] * sides[1] / max(sum(areas) - sides[0] * sides[1], 1e-6))


def _view(judges: Judges, soft: bool, seed: int, time: int, **fixed: Any) -> NDArray[np.float32]:
    drawn = render(sample(seed, "test", camera="still", subjects=1, **fixed), [time])
    vector: NDArray[np.float32] = judges.identity(_shown(drawn, seed, soft))[0]
    return vector


def known_individuals(judges: Judges, kind: str, count: int, soft: bool) -> NDArray[np.float32]:
    """Return the mean vectors [count, d] of the individuals to choose from."""
    first = SPLITS["test"].start
    views = [
        [
            _view(judges, soft, 300_000 + 10 * n + v, 5, kind=kind, number=first + n, light="day", scene=scene,
                  action=action, distance=distance)
            for v, (scene, action, distance) in enumerate(GALLERY)
        ]
        for n in range(count)
    ]  # fmt: skip
    means = np.array(views).mean(axis=1)
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))


def _asked(judges: Judges, kind: str, count: int, soft: bool) -> dict[str, NDArray[np.float32]]:
    """Return the vectors [queries, count, d] of the pictures to be recognised, by how they are lit."""
    first = SPLITS["test"].start
    vectors = {}
    for name, lights in (("another light", ("sunset", "night")), ("by day", ("day",))):
        rows = [
            [
                _view(judges, soft, 400_000 + 10 * n + v, 9, kind=kind, number=first + n, scene=scene, action=action,
                      light=lights[(n + v) % len(lights)], distance="plain")
                for n in range(count)
            ]
            for v, (scene, action) in enumerate(QUERIES)
        ]  # fmt: skip
        vectors[name] = np.array(rows)
    return vectors


def _found(gallery: NDArray[np.float32], asked: NDArray[np.float32]) -> float:
    nearest = (asked @ gallery.T).argmax(axis=2)
    return float((nearest == np.arange(len(gallery))).mean())


if __name__ == "__main__":
    main()
