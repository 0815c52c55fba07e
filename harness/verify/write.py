"""Writing a run as one archive, the same bytes whenever and wherever it is done."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

from harness.base.errors import BundleError
from harness.base.files import replacing
from harness.evidence.record import RunRecord
from harness.evidence.written import EVIDENCE

RECORD, RECIPE = "record.json", "recipe.json"
WEIGHTS = EVIDENCE["weights"]
# Zip cannot say "no date"; its first day stands for it.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


def write_bundle(record: RunRecord, folder: Path, to: Path, weights: bool) -> list[str]:
    """Write the archive of a run; nothing in it is compressed, so that nothing can expand.

    Args:
        record: The run's record.
        folder: Where its evidence is.
        to: The file to write.
        weights: Whether to put the weights in, too.

    Returns:
        The names of the files in it.

    Raises:
        BundleError: A file of the run is not there.
    """
    files = {name: folder / name for name in EVIDENCE.values() if weights or name != WEIGHTS}
    gone = [name for name, path in files.items() if not path.is_file()]
    if gone:
        raise BundleError(
            seen=f"{', '.join(gone)} of run {record.run_id} is not in {folder}",
            expected="the files that harness run wrote",
            do="start the run again; finished stages are not done twice",
        )
    texts = {
        RECORD: json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n",
        RECIPE: json.dumps(record.recipe, indent=2, ensure_ascii=False) + "\n",
    }
    with replacing(to) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, text in texts.items():
            archive.writestr(_entry(name), text)
        for name, path in sorted(files.items()):
            entry = _entry(name)
            # Known beforehand, so that the format does not depend on how it was written.
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
    return [*texts, *sorted(files)]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _NO_DATE)
    entry.compress_type = zipfile.ZIP_STORED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
