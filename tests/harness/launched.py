"""Commands started as several processes, by torchrun's own launcher."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT, Answer


def launched(*words: object, processes: int = 2, **environment: str) -> Answer:
    """What `torchrun --standalone --nproc-per-node N WORDS` gave back, torch on one thread each.

    Args:
        words: `-m MODULE` or a script, and its words.
        processes: N.
        environment: More variables.
    """
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
    done = subprocess.run(
        [sys.executable, *launcher, *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)
