"""Encode sound anew: of any rate, number of channels and timing, and with whatever values its samples have."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from vcd_ext.media.pyav import pyav


class SoundEncoder:
    """Decoded frames of a sound on their way into a stream of a container that is being written."""

    def __init__(self, container: Any, codec: str, rate: int, layout: str):
        """Add a stream to the container. codec: FFmpeg's name of the encoder. rate: one that it knows."""
        self.stream = container.add_stream(codec, rate=rate)
        self.stream.layout = layout
        self._graph: Any = None
        self._kind: tuple[str, str, int] | None = None

    def encode(self, frame: Any) -> Iterator[Any]:
        """Yield the packets that are ready once this frame has come; its time counts from the container's beginning.

        Gaps become silence, and what comes twice is left out. Values that are no numbers become silence.
        """
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            yield from self._drained()
            self._graph, self._kind = self._resampling(*kind), kind
        self._graph.push(_audible(frame))
        yield from self._encoded()

    def finish(self) -> Iterator[Any]:
        """Yield the last packets."""
        yield from self._drained()
        yield from self.stream.encode(None)

    def _resampling(self, sample_format: str, layout: str, rate: int) -> Any:
        graph, first = pyav().filter.Graph(), self._kind is None
        nodes = [
            graph.add_abuffer(sample_rate=rate, format=sample_format, layout=layout, time_base=Fraction(1, rate)),
            # Without async it takes the samples for continuous; a sound that begins late would begin with the pictures.
            graph.add("aresample", "async=1" + ":first_pts=0" * first),
            graph.add(
                "aformat",
                f"sample_fmts={self.stream.codec_context.format.name}:sample_rates={self.stream.rate}:"
                f"channel_layouts={self.stream.layout.name}",
            ),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph

    def _drained(self) -> Iterator[Any]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._encoded()

    def _encoded(self) -> Iterator[Any]:
        while True:
            try:
                frame = self._graph.pull()
            except (BlockingIOError, EOFError):  # it needs more, or there is no more
                return
            yield from self.stream.encode(frame)


def _audible(frame: Any) -> Any:
    """Return the frame with floats limited to -1 to 1: encoders refuse those that are no numbers, or huge."""
    if frame.format.name.rstrip("p") not in ("flt", "dbl"):
        return frame
    values = frame.to_ndarray()
    if np.abs(values).max(initial=0) <= 1:
        return frame
    clean = np.clip(np.nan_to_num(values, nan=0.0), -1, 1).astype(values.dtype)
    made = pyav().AudioFrame.from_ndarray(clean, format=frame.format.name, layout=frame.layout.name)
    made.sample_rate, made.pts, made.time_base = frame.sample_rate, frame.pts, frame.time_base
    return made
