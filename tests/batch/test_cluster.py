"""On a cluster the same files are made as without one, also where workers and machines die in the middle."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny
from tests.batch import cluster_lenders
from tests.batch.fake_lender import FakeLender, plan_text
from vcd_ext.batch.cluster import Request, in_cluster
from vcd_ext.batch.plan import BatchPlan, read_plan
from vcd_ext.batch.run import Execute, Summary, in_process, run_units
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.hosts.diffusers.lender import StandaloneLender
from vcd_ext.progress import Callbacks

# A machine that is gone is missed after some seconds; one that is slow to answer has longer.
IMPATIENT = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300, "health_check_timeout_ms": 20_000,
             "health_check_failure_threshold": 2}  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Start a cluster: a head without work, and one machine with one core; a test adds another."""
    utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: pip install ray==2.48.0")
    os.environ |= {"RAY_worker_niceness": "0"}  # its own is 15, with which nothing moves beside other tests
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": IMPATIENT, "object_store_memory": 80_000_000}
    started = utils.Cluster(initialize_head=True, head_node_args=head)
    started.add_node(num_cpus=1, object_store_memory=80_000_000)
    yield started
    started.shutdown()


def carried_out(plan: BatchPlan, execute: Execute, interrupted: Callable[[], bool] = lambda: False) -> Summary:
    return run_units(plan.units, plan.out, execute, Callbacks(lambda _: None, lambda _: None, interrupted))


def on(cluster: Any, plan: BatchPlan, make_lender: Callable[[], Any]) -> Execute:
    return in_cluster(Request(cluster.address, plan.out, make_lender))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lose_a_machine(cluster: Any) -> None:
    """Kill the one of two machines to which this process is not connected; asked for the other, Ray disconnects."""
    connected = pytest.importorskip("ray")._private.worker.global_worker.node.raylet_socket_name
    lost = next(node for node in cluster.worker_nodes if node.raylet_socket_name != connected)
    cluster.remove_node(lost, allow_graceful=False)


def test_a_worker_and_a_machine_die_and_the_files_are_the_same(cluster: Any, folder: Path) -> None:
    tiny.checkpoint(folder)
    there, here = (read_plan(plan_text(folder, "[1, 2, 3, 4]"), folder / name) for name in ("there", "here"))
    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    whole = on(cluster, there, cluster_lenders.DiesOnce)

    def with_a_loss(*arguments: Any) -> Iterator[Any]:
        for number, result in enumerate(whole(*arguments)):
            yield result
            if number == 1:
                lose_a_machine(cluster)

    summary = carried_out(there, with_a_loss)
    assert (len(summary.made), summary.failed, summary.left) == (5, {}, [])
    assert (folder / "died").exists()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as many as a worker has: sums of floats depend on it
    carried_out(here, in_process(StandaloneLender()))
    torch.set_num_threads(threads)
    found, wanted = contents(there.out), contents(here.out)
    logs = [files.pop("batch.jsonl") for files in (found, wanted)]
    assert all(logs)
    assert found == wanted


def test_an_interruption_ends_the_workers_at_their_next_step(cluster: Any, folder: Path) -> None:
    plan = read_plan(plan_text(folder))
    summary = carried_out(plan, on(cluster, plan, cluster_lenders.Waits), (folder / "begun").exists)
    assert ([unit.name for unit in summary.made], len(summary.left)) == (["identities/rex01"], 2)
    assert len(carried_out(plan, in_process(FakeLender())).made) == 2


def test_a_cluster_that_does_not_answer_is_refused_in_a_sentence(folder: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray==2.48.0")
    plan = read_plan(plan_text(folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    for address, reason in ((nobody, "nothing answers there"), ("somewhere", "HOST:PORT")):
        with pytest.raises(PlanError, match=f"The Ray cluster at {address} cannot be used: .*{reason}"):
            carried_out(plan, in_cluster(Request(address, plan.out, FakeLender)))
