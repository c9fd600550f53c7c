"""Networks that a prompt asks for, such as `<lora:name:0.8>`."""

import re

from vcd_ext.prompt.comments import without_comments

NETWORK = re.compile(r"<\w+:[^>]+>")


def check_no_networks(*prompts: str) -> None:
    """Raise ValueError, in one sentence, if a prompt asks for a network, which only the WebUI can load."""
    for prompt in prompts:
        if found := NETWORK.search(without_comments(prompt)):
            raise ValueError(
                f"The prompt has {found[0]}, which only the WebUI can load; leave it out, use a checkpoint that it is "
                "merged into, or make the video in the WebUI."
            )
