"""How runs are carried out, here or on a cluster, from the options of a command."""

from __future__ import annotations

from typing import NamedTuple

from harness.base.errors import PlanError, UnknownNameError
from harness.sweeps.slurm import Cluster, further, minutes_of
from harness.sweeps.start import Asked

ON = ("local", "slurm")


class Words(NamedTuple):
    """The options of how a sweep is carried out, as they were typed."""

    on: str = "local"
    jobs: int | None = None
    gpus_per_run: int = 1
    nodes_per_run: int = 1
    partition: str | None = None
    account: str | None = None
    constraint: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory: str | None = None
    time: str = "24:00:00"
    setup: tuple[str, ...] = ()
    parallel: int | None = None
    slurm: tuple[str, ...] = ()
    retries: int = 3
    no_wait: bool = False
    device: str = "auto"

    def asked(self) -> Asked:
        """The options, checked.

        Raises:
            HarnessError: A value that means nothing, or nothing here.
        """
        if self.on not in ON:
            raise UnknownNameError("place to run on", self.on, ON)
        if self.on == "local" and self.nodes_per_run > 1:
            raise PlanError(
                seen=f"--nodes-per-run {self.nodes_per_run} --on local",
                expected="one machine, which is this one",
                do="--on slurm, or --gpus-per-run for several GPUs of this machine",
            )
        own = self.gpus_per_run if self.gpus_per_run > 1 and self.device != "cpu" else None
        cluster = Cluster(
            partition=self.partition,
            gpus=self.gpus or own,
            cpus=self.cpus,
            memory=self.memory,
            minutes=minutes_of(self.time),
            account=self.account,
            constraint=self.constraint,
            setup=self.setup,
            parallel=self.parallel,
            more=further(self.slurm),
            retries=self.retries,
            nodes=self.nodes_per_run,
            processes=self.gpus_per_run,
        )
        return Asked(self.on, self.device, self.jobs, cluster, wait=not self.no_wait)
