"""The protocols that come with the harness, named as the tables of the papers name them."""

from __future__ import annotations

from itertools import product

from harness.spec.corruption import KINDS, Corruption
from harness.spec.filters import Filter
from harness.spec.heldout import HeldOut
from harness.spec.missing import RandomMissing
from harness.spec.modality import MODALITIES, Modality
from harness.spec.protocol import Protocol

_SIX_COLUMNS = ("TOP-ReID", "DeMo", "MDReID", "MFRNet", "ProxyTTT", "UGG-ReID", "MGRNet")
_IEEE_TABLE_2 = "IEEE (AAAI 2022) Table 2"
_LETTER: dict[Modality, str] = {"RGB": "R", "NI": "N", "TI": "T"}
_THEIR_NAME: dict[Modality, str] = {"RGB": "RGB", "NI": "NIR", "TI": "TIR"}

FULL = Protocol(
    name="full",
    title="all three modalities on both sides (RGB+NI+TI)",
    used_by=("the main table of nearly every RGBNT paper, IEEE (AAAI 2022) Table 1 among them",),
)


VALIDATION = Protocol(
    name="validation",
    title="16 train identities held out and searched; for choosing settings",
    used_by=("this harness: RGBNT201 has 51 train identities on two cameras to choose from",),
    groups=("validation",),
    held_out=HeldOut(identities=16),
)
# The papers do not say which 30 identities they validated on; these are 30 of the 51 that can be.
VALIDATION_30 = Protocol(
    name="validation-30",
    title="30 train identities held out and searched: the 141/30/30 reading of RGBNT201",
    used_by=("the text of PFNet (AAAI 2021) and IEEE (AAAI 2022); no released code",),
    groups=("validation",),
    held_out=HeldOut(identities=30),
)


def _reduced(modalities: tuple[Modality, ...], *used_by: str) -> Protocol:
    """Trained and tested on these modalities alone."""
    count = {1: "one modality", 2: "two modalities"}[len(modalities)]
    return Protocol(
        name="+".join(modalities),
        title=f"{count}, trained and tested",
        used_by=(*used_by, "TOP-ReID Table 5"),
        groups=("reduced",),
        train_modalities=modalities,
        query_modalities=modalities,
        gallery_modalities=modalities,
    )


def _missing(*absent: Modality) -> Protocol:
    """Trained on all, tested with `absent` taken from both sides."""
    left = tuple(m for m in MODALITIES if m not in absent)
    column = "M(" + "+".join(_THEIR_NAME[m] for m in absent) + ")"
    also = ("DENet", "PFNet") if absent in {("NI",), ("TI",), ("NI", "TI")} else ()
    return Protocol(
        name="".join(f"-{m}" for m in absent),
        title=f"missing {' and '.join(absent)} at test, column {column}",
        used_by=(*_SIX_COLUMNS, *also),
        groups=("missing",),
        query_modalities=left,
        gallery_modalities=left,
    )


def _captions_stay(*absent: Modality) -> Protocol:
    """`_missing` as IDEA's code has it: the missing image is grey, and its caption speaks on."""
    usual = _missing(*absent)
    changes = {
        "name": f"{usual.name}@captions",
        "title": f"{usual.title}; their captions stay",
        "used_by": ("IDEA (CVPR 2025), by its released code; for methods with captions",),
        "groups": ("captions",),
        "caption_of_missing": "keep",
    }
    return usual.model_copy(update=changes)


def _random_missing(percent: int) -> Protocol:
    return Protocol(
        name=f"random-missing-{percent}",
        title=f"each image absent at test with a chance of {percent} %",
        used_by=("usual in other multi-modal fields; no RGBNT paper so far",),
        groups=("random-missing",),
        random_missing=RandomMissing(percent=percent),
    )


def _unlike(
    query: tuple[Modality, ...], gallery: tuple[Modality, ...], *groups: str, used_by: str
) -> Protocol:
    """Trained on all, the gallery searched in other modalities than the query has."""
    theirs = "->".join("".join(_LETTER[m] for m in side) for side in (query, gallery))
    return Protocol(
        name=f"{'+'.join(query)}>{'+'.join(gallery)}",
        title=f"query {' and '.join(query)}, gallery {' and '.join(gallery)} ({theirs})",
        used_by=tuple(used_by.split("; ")),
        groups=groups,
        query_modalities=query,
        gallery_modalities=gallery,
    )


def _convention(
    query: Modality, gallery: Modality, like: str, rule: Filter, words: str
) -> Protocol:
    """Cross-modal between the two modalities trained on, by the rule of a two-modality set."""
    return Protocol(
        name=f"{query}>{gallery}@{like}",
        title=f"query {query}, gallery {gallery}, {words}",
        used_by=(f"after {_IEEE_TABLE_2} (HC, DDAG, MPANet), whose evaluation is unpublished",),
        groups=(like,),
        train_modalities=tuple(m for m in MODALITIES if m in (query, gallery)),
        query_modalities=(query,),
        gallery_modalities=(gallery,),
        filter=rule,
    )


def _cross() -> tuple[Protocol, ...]:
    pairs: tuple[tuple[Modality, Modality], ...] = (
        ("RGB", "TI"), ("TI", "RGB"), ("RGB", "NI"), ("NI", "RGB"), ("NI", "TI"), ("TI", "NI"),
    )  # fmt: skip
    found = []
    for query, gallery in pairs:
        both = (query, gallery) == ("RGB", "NI")
        groups = ("cross", "mismatched") if both else ("cross",)
        who = "UPCL" + ("; MDReID (R->N)" if both else "")
        found.append(_unlike((query,), (gallery,), *groups, used_by=who))
    return tuple(found)


_REGDB = "as RegDB: trained on the two, nothing removed, not even the same instant"
_SYSU = (
    "as SYSU-MM01: trained on the two, the whole gallery of the query's place removed; its ten "
    "single-shot galleries and its CMC over identities are not imitated"
)


def _corrupted(name: str, words: str, group: str, used_by: str, corruption: Corruption) -> Protocol:
    return Protocol(
        name=f"corrupt-{name}",
        title=words,
        used_by=(used_by,),
        groups=(group,),
        corruption=corruption,
    )


def _mixed() -> tuple[Protocol, ...]:
    drawn = "kind and severity drawn for each image"
    both = "query and gallery"
    cil, josi = "CIL (NeurIPS 2021)", "Josi et al. (WACV workshops 2023)"
    alone = tuple(
        _corrupted(
            f"mixed-{m}",
            f"{drawn}; {m} alone, {both}",
            "corrupt",
            f"{josi}, scenario C" if m == "RGB" else "here",
            Corruption(kind="mixed", severity="mixed", modalities=(m,)),
        )
        for m in MODALITIES
    )
    all_of = Corruption(kind="mixed", severity="mixed")
    return (
        _corrupted("mixed", f"{drawn}; {both}", "corrupt", f"{cil}; {josi}, scenario UCD", all_of),
        _corrupted(
            "mixed-query",
            f"{drawn}; query only, the gallery is clean",
            "corrupt",
            cil,
            all_of.model_copy(update={"sides": "query"}),
        ),
        _corrupted(
            "mixed-correlated",
            f"{drawn}, weather alike in all modalities; {both}",
            "corrupt",
            f"{josi}, scenario CCD",
            all_of.model_copy(update={"mode": "correlated"}),
        ),
        *alone,
    )


def _each() -> tuple[Protocol, ...]:
    levels: tuple[tuple[str, int], ...] = tuple(product(KINDS, range(1, 6)))
    return tuple(
        _corrupted(
            f"{kind}-{severity}",
            f"{kind} of severity {severity}, all modalities, query and gallery",
            "corrupt-each",
            "CIL (NeurIPS 2021)",
            Corruption.model_validate({"kind": kind, "severity": severity}),
        )
        for kind, severity in levels
    )


_EVERY: tuple[Protocol, ...] = (
    FULL,
    VALIDATION,
    VALIDATION_30,
    _reduced(("RGB", "TI"), _IEEE_TABLE_2),
    _reduced(("RGB", "NI"), _IEEE_TABLE_2, "RGBN300 papers"),
    _reduced(("NI", "TI")),
    _reduced(("RGB",)),
    _reduced(("NI",)),
    _reduced(("TI",)),
    _missing("RGB"),
    _missing("NI"),
    _missing("TI"),
    _missing("RGB", "NI"),
    _missing("RGB", "TI"),
    _missing("NI", "TI"),
    _captions_stay("RGB"),
    _captions_stay("NI"),
    _captions_stay("TI"),
    _captions_stay("RGB", "NI"),
    _captions_stay("RGB", "TI"),
    _captions_stay("NI", "TI"),
    *(_random_missing(percent) for percent in (10, 30, 50)),
    *_cross(),
    _unlike(("RGB", "TI"), ("NI", "TI"), "mismatched", used_by="MDReID"),
    _unlike(("RGB", "TI"), ("NI",), "mismatched", used_by="MDReID"),
    _unlike(("RGB",), ("NI", "TI"), "mismatched", used_by="MDReID"),
    _convention("RGB", "TI", "regdb", "none", _REGDB),
    _convention("TI", "RGB", "regdb", "none", _REGDB),
    _convention("RGB", "NI", "sysu", "same_cam", _SYSU),
    _convention("NI", "RGB", "sysu", "same_cam", _SYSU),
    *_mixed(),
    *_each(),
)

# Version 1 ranked equal distances by gallery order, which is sorted by identity.
PROTOCOLS = tuple(one.model_copy(update={"version": 2}) for one in _EVERY)
"""In the order of `harness list protocols`; `full` is the main table's."""
