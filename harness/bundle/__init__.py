"""A run as one archive that another machine can verify, and archives from strangers."""

from harness.bundle.receive import LIMITS, Admitted, Limits, admit, verify_bundle
from harness.bundle.write import write_bundle

__all__ = ["LIMITS", "Admitted", "Limits", "admit", "verify_bundle", "write_bundle"]
