"""Findings about a data set under a protocol, before any training."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.duplicates import Contents, copy_findings, find_copies
from harness.data.finding import Finding
from harness.data.lint_matches import labels_of, match_findings, self_findings
from harness.data.lint_rules import absent_modalities, leaks, selection, thin_identities
from harness.data.opened import OpenDataset
from harness.spec.protocol import BoundProtocol

__all__ = ["Finding", "labels_of", "lint", "stop_on_errors"]

_ORDER = ("error", "warning", "note")


def lint(
    data: OpenDataset,
    protocol: BoundProtocol,
    contents: Contents | None = None,
    training: bool = True,
) -> list[Finding]:
    """Everything found, errors first; an empty list means nothing stands in the way.

    Args:
        data: The data set.
        protocol: What will be trained, queried and searched.
        contents: What the files hold, to compare pictures by content too. Runs leave it out:
            what stops a run must not depend on what happens to be remembered.
        training: Whether something will be trained; to evaluate, a train split that is not there
            need not be.

    Raises:
        DataError: The data set itself is broken; see `harness data check`.
    """
    spared = not training and data.only_test
    train = () if spared else data.samples(protocol.train_split)
    query = data.samples(protocol.query_split)
    gallery = data.samples(protocol.gallery_split)
    findings = [
        *leaks(train, query, gallery, data.card.known_leaks),
        *match_findings(train, query, gallery, protocol),
        *self_findings(query, gallery, protocol, contents or {}),
        *absent_modalities("train", train, protocol.train_modalities),
        *absent_modalities("query", query, protocol.query_modalities),
        *absent_modalities("gallery", gallery, protocol.gallery_modalities),
        *selection(protocol),
        *thin_identities(train),
    ]
    if contents is not None:
        copies = find_copies({"train": train, "query": query, "gallery": gallery}, contents)
        # Copies within one identity and split are the checker's business, not the protocol's.
        findings += [f for f in copy_findings(copies) if f.rule != "same-bytes"]
    return sorted(findings, key=lambda f: _ORDER.index(f.severity))


def stop_on_errors(findings: Sequence[Finding]) -> None:
    """Raise the first finding that is an error."""
    for finding in findings:
        if finding.severity == "error":
            raise finding.as_error()
