"""The WebUI's buttons *Interrupt* and *Skip* in the middle of a step."""

from modules import sd_samplers_common, shared


def stop_if_asked() -> None:
    """End the sampling as the WebUI's denoiser does; it asks between steps only, and those of a long video are long."""
    if shared.state.interrupted or shared.state.skipped:
        raise sd_samplers_common.InterruptedException
