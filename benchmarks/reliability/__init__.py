"""A campaign of faults: everything that can go wrong does, one at a time, and what is left is judged.

    python -m benchmarks.reliability [--only GROUP ...] [--anew] [--seed N] [--most N] [--out docs/reliability.md]

It needs the WebUI that tests/webui uses, and for full disks the right to mount a small tmpfs. About 20 minutes
on 2 free CPU cores. Expected: 0 in each of the last four columns, which count what was not as before.
"""
