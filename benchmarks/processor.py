"""Name the processor on which something was measured: the machines of this project differ."""

import platform
from pathlib import Path

VECTORS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}  # the best that it has is named


def processor() -> str:
    """Return its name and its widest vectors, as far as Linux tells them."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return platform.machine()
    told = path.read_text().split("\n\n")[0]
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in told.splitlines())}
    flags = facts.get("flags", "").split()
    vectors = next((name for flag, name in VECTORS.items() if flag in flags), "")
    return ", ".join(filter(None, [facts.get("model name") or platform.machine(), vectors]))
