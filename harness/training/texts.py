"""The captions of a data set as ids, and the rows of them that a batch shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.spec.modality import Modality


class Texts(NamedTuple):
    """What is said of the rows of an image array.

    Attributes:
        ids: By modality (rows of the array, 77) int64.
        nothing: By modality (77,) int64, of an image without a caption.
    """

    ids: Mapping[Modality, NDArray[np.int64]]
    nothing: Mapping[Modality, NDArray[np.int64]]

    def of(
        self,
        rows: NDArray[np.int64],
        modalities: tuple[Modality, ...],
        there: Mapping[Modality, NDArray[np.bool_]] | None = None,
    ) -> NDArray[np.int64]:
        """(modalities, n, 77) of n rows.

        Args:
            rows: (n,) of the array.
            modalities: Which.
            there: By modality (n,), whether the image is there; without it nothing is said of it.
                None shows every caption.
        """
        found = np.stack([self.ids[m][rows] for m in modalities])
        if there is not None:
            for i, m in enumerate(modalities):
                found[i][~there[m]] = self.nothing[m]
        return found
