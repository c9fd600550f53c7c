"""Faults inside a real WebUI: exceptions, buttons, too little memory, another checkpoint, full disks, two at once."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import combinations_with_replacement, cycle
from pathlib import Path

from benchmarks.reliability.judge import Judge, Verdict
from benchmarks.reliability.scenarios import Ended, Run, forget, forget_all
from benchmarks.reliability.tally import Tried
from tests.webui.server import Server

MADE = ("outputs", "embeddings", "vcd")  # of the data folder, where files are written to
COMPUTED = ("text", "encode", "unet", "decode")
BUTTONS = ("interrupt", "skip", "interrupt after current")
FAILED = "probe: it failed"
# The words of CUDA, cuBLAS, cuDNN, ROCm, MPS, DirectML and the CPU's allocator.
MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 8.00 GiB total capacity; 6.10 GiB already allocated)",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "GET was unable to find an engine to execute this computation",
    "HIP out of memory. Tried to allocate 20.00 MiB (GPU 0; 15.98 GiB total capacity)",
    "MPS backend out of memory (MPS allocated: 5.05 GB, other allocations: 2.29 GB, max allowed: 6.77 GB).",
    "Could not allocate tensor with 134217728 bytes. There is not enough GPU video memory available!",
    "[enforce fail at alloc_cpu.cpp:83] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "1073741824 bytes. Error code 12 (Cannot allocate memory)",
)
TMPFS = 64  # MiB
OTHER = "other.safetensors"  # the checkpoint that is chosen meanwhile


class InTheWebUI:
    """A WebUI that is broken in one place after the other."""

    def __init__(self, server: Server, runs: dict[str, Run], most: int, tell: Callable[[Tried], None]):
        """most: passings of a place that are broken in one scenario; tell: given each fault as it was tried."""
        self.server, self.runs, self.most, self.tell = server, runs, most, tell
        self.folders = [server.data / name for name in MADE]
        self.judge = Judge(server, self.folders)
        self.expected: dict[str, Ended] = {}
        self.counts: dict[str, dict[str, int]] = {}
        for name, run in runs.items():
            self._measure(name, run)

    def exceptions(self) -> None:
        """Raise an exception in each computation, and refuse each file that Python opens or renames."""
        for name, counts in self.counts.items():
            for place in COMPUTED:
                for at in self._some(counts.get(place, 0)):
                    self.tried("exceptions", name, f"exception: {place}", (place, at, "error", FAILED))
            refusals = cycle(["disk full", "no permission"])
            for at in self._some(counts.get("write", 0)):
                self.tried("exceptions", name, "refused by the disk: write", ("write", at, next(refusals), ""))

    def memory(self) -> None:
        """No memory at each place, in the words of each library by turns."""
        words = cycle(MEMORY)
        for name, counts in self.counts.items():
            for place in COMPUTED:
                for at in self._some(counts.get(place, 0)):
                    self.tried("memory", name, f"out of memory: {place}", (place, at, "memory", next(words)))

    def buttons(self) -> None:
        """Each of the WebUI's buttons that end something, in each computation of pictures."""
        for name, counts in self.counts.items():
            for button in BUTTONS:
                for place in COMPUTED[1:]:
                    for at in self._some(counts.get(place, 0)):
                        self.tried("buttons", name, button, (place, at, button, ""))

    def checkpoint(self) -> None:
        """Another checkpoint is chosen while the UNet computes: it is made with the first one, or refused."""
        chosen = self.server.get("/sdapi/v1/options")["sd_model_checkpoint"]

        def choose_again() -> None:
            self.server.post("/sdapi/v1/options", sd_model_checkpoint=chosen).raise_for_status()

        for name, counts in self.counts.items():
            for at in self._some(counts.get("unet", 0)):
                fault = ("unet", at, "checkpoint", OTHER)
                self.tried("checkpoint", name, "another checkpoint is chosen", fault, after=choose_again)

    def together(self) -> None:
        """Two of them at once, from two clients: each makes what it makes alone, or the second is refused."""
        for one, other in combinations_with_replacement(self.runs, 2):
            with ThreadPoolExecutor(2) as clients:
                ended = list(clients.map(lambda name: self.runs[name](self.server), (one, other)))
            verdict = Verdict(self.judge.of_model(), self.judge.of_files())
            for name, how in zip((one, other), ended, strict=True):
                forget(self.server)
                whole = how.made_like(self.expected[name])
                busy = how.state == "refused" and "wait for the end" in " ".join(how.said)
                told = "" if whole or busy else f"{how.state} instead of {self.expected[name].state}: {how.said}"
                self.tell(Tried("together", name, "something else at once", True, whole, told, verdict))
            forget_all(self.server)

    def full_disk(self) -> None:
        """Fill the disk after so many bytes of what a run writes; FFmpeg's and safetensors' files as well."""
        for name, run in self.runs.items():
            before = self._used()
            run(self.server)
            needed = self._used() - before
            self._clean()
            for part in range(self.most):
                room = needed * part // self.most

                def broken(run: Run = run, room: int = room) -> tuple[Ended, bool]:
                    with self._filled(room):
                        return run(self.server), True

                self._judged("full disk", name, "the disk is full", broken)

    def _measure(self, name: str, run: Run) -> None:
        """Note what a run makes, and how often it passes each place."""
        run(self.server)
        self._clean()
        self._arm("", 0, "", "")
        self.expected[name] = run(self.server)
        self.counts[name] = self.server.get("/probe/fault")["counts"]
        self._clean()
        if self.expected[name].state != "done":
            raise RuntimeError(f"{name} does not work by itself: {self.expected[name].said}")

    def _some(self, count: int) -> list[int]:
        """Choose the passings to break, from 1 to `count`: all, or the first, the last and some between."""
        if count <= self.most:
            return list(range(1, count + 1))
        return sorted({1 + round(i * (count - 1) / max(self.most - 1, 1)) for i in range(self.most)})

    def _arm(self, place: str, at: int, action: str, words: str) -> None:
        folders = [str(folder) for folder in self.folders]
        body = {"place": place, "at": at, "action": action, "words": words, "folders": folders}
        self.server.post("/probe/fault", **body).raise_for_status()

    def tried(
        self,
        group: str,
        name: str,
        fault: str,
        how: tuple[str, int, str, str],
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Try one fault. how: place, number of its passing, action and its words, as probe_faults takes them."""

        def broken() -> tuple[Ended, bool]:
            self._arm(*how)
            ended = self.runs[name](self.server)
            fired = self.server.get("/probe/fault")["fired"]
            after()
            return ended, fired

        self._judged(group, name, fault, broken)

    def _judged(self, group: str, name: str, fault: str, broken: Callable[[], tuple[Ended, bool]]) -> None:
        ended, reached = broken()
        expected = self.expected[name]
        whole = ended.like(expected)
        verdict = Verdict(self.judge.of_model(), self.judge.of_files())
        forget(self.server)
        following = self.judge.of_following(self.runs[name], expected)
        following = "; ".join(filter(None, [following, self.judge.of_files()]))
        self._clean()
        told = badly_told(group, name, ended) if reached and not whole else ""
        self.tell(Tried(group, name, fault, reached, whole, told, Verdict(verdict.model, verdict.files, following)))

    def _clean(self) -> None:
        forget_all(self.server)
        self.judge.of_files()

    def _used(self) -> int:
        return sum(_used(folder) for folder in _disks(self.folders))

    @contextmanager
    def _filled(self, room: int) -> Iterator[None]:
        """Within this context there are `room` bytes left on each disk."""
        fillers = []
        for folder in _disks(self.folders):
            filler = folder / ".filler"
            free = shutil.disk_usage(folder).free
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(free - room, 1))
            fillers.append(filler)
        try:
            yield
        finally:
            for filler in fillers:
                filler.unlink()


def badly_told(group: str, name: str, ended: Ended) -> str:
    """Return what is wrong with what the person was told of a run that went wrong; "" if nothing."""
    said = " ".join(ended.said)
    if ended.state in ("failed", "refused") and not said:
        return "it failed without a word"
    # The WebUI itself computes the text, and decodes what it has generated: it says that in its own words.
    its_own = ended.made is None and "video" in name
    if group == "memory" and not its_own and "memory" not in said.lower():
        return f"no word of the memory: {said}"
    if group == "checkpoint" and ended.state == "done":
        return f"it was made with the other checkpoint: {said}"
    return ""


def _disks(folders: Sequence[Path]) -> list[Path]:
    return [folder for folder in folders if folder.is_mount()]


def _used(folder: Path) -> int:
    return shutil.disk_usage(folder).used


@contextmanager
def small_disks(data: Path) -> Iterator[bool]:
    """Within this context the folders that are written to are small disks of their own; False if not permitted."""
    mounted = []
    try:
        for name in MADE:
            folder = data / name
            folder.mkdir(parents=True, exist_ok=True)
            kept = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
            command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS}m", "vcd", str(folder)]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                break
            mounted.append(folder)
            for file, content in kept.items():
                (folder / file).write_bytes(content)
        yield len(mounted) == len(MADE)
    finally:
        for folder in mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
