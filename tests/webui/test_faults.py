"""A small part of the campaign of faults (benchmarks/reliability) in the real WebUI."""

from benchmarks.reliability.in_the_webui import MEMORY, InTheWebUI
from benchmarks.reliability.scenarios import ready, scenarios
from benchmarks.reliability.tally import Tried
from tests.webui.server import Server


def test_the_last_decoding_and_the_last_file_go_wrong_and_nothing_is_left_of_it(server: Server) -> None:
    tried: list[Tried] = []
    (server.data / "outputs").mkdir(exist_ok=True)
    with ready(server):
        name = "video (txt2img)"
        campaign = InTheWebUI(server, {name: scenarios(server)[name]}, most=1, tell=tried.append)
        last = campaign.counts[name]
        campaign.tried("memory", name, "out of memory", ("decode", last["decode"], "memory", MEMORY[2]))
        campaign.tried("exceptions", name, "refused by the disk", ("write", last["write"], "disk full", ""))
    assert [(one.reached, one.bad) for one in tried] == [(True, [])] * 2
