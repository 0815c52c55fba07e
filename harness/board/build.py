"""Summaries and claims grouped into tables, and seeds into rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev

from harness.board.names import Names, told_apart
from harness.board.ranking import rank_table
from harness.board.rows import OF_RUN, BoardRow, BoardTable, Claimed, PerQuery
from harness.evidence.record import METRICS
from harness.evidence.trust import Trust
from harness.spec.method import TEST_TEXT, MethodInfo
from harness.spec.text import captions_of, without_captions
from harness.store import Summary

_Hashes = tuple[str, str, str, str]


def board(
    summaries: Iterable[Summary],
    claims: Iterable[Claimed] = (),
    per_query: PerQuery | None = None,
    infos: Mapping[str, MethodInfo] | None = None,
) -> list[BoardTable]:
    """Every table, sorted by data set and protocol name.

    A claim is in every table whose data set and protocol have the names it was printed for: a paper
    says no hashes.

    Args:
        summaries: Of runs, in any order.
        claims: Of papers.
        per_query: Where given, every table is ranked; otherwise `rank_table` does it for one.
        infos: Methods by name, for what a table says of them.
    """
    groups: dict[_Hashes, list[Summary]] = defaultdict(list)
    for one in summaries:
        pictures = without_captions(one.dataset)
        groups[pictures, one.protocol, one.data_hash, one.protocol_hash].append(one)
    published: dict[tuple[str, str], list[BoardRow]] = defaultdict(list)
    for claim in claims:
        if claim.protocol:
            published[claim.dataset, claim.protocol].append(_claim_row(claim))
    known = {key[:2] for key in groups}
    nobody_ran: list[_Hashes] = [(*named, "", "") for named in published if named not in known]
    names = Names(infos or {})
    tables = [
        _table(key, groups.get(key, []), published.get(key[:2], []), infos or {}, names)
        for key in sorted([*groups, *nobody_ran])
    ]
    return tables if per_query is None else [rank_table(t, per_query) for t in tables]


def _table(
    key: _Hashes,
    summaries: Sequence[Summary],
    claims: Sequence[BoardRow],
    infos: Mapping[str, MethodInfo],
    names: Names,
) -> BoardTable:
    rows = told_apart([*_run_rows(summaries, infos, names), *claims])
    rows.sort(key=lambda row: (-row.metrics.get("mAP", -math.inf), row.key))
    # Equal hashes give equal chance levels and counts, whichever run says them.
    about = min(summaries, key=lambda s: (s.created, s.run_id)) if summaries else None
    return BoardTable(
        dataset=key[0],
        data_hash=key[2],
        protocol=key[1],
        protocol_hash=key[3],
        chance=about.chance if about else {},
        queries=about.queries if about else 0,
        valid_queries=about.valid_queries if about else 0,
        resolution=None,
        rows=tuple(rows),
    )


def _run_rows(
    summaries: Sequence[Summary], infos: Mapping[str, MethodInfo], names: Names
) -> list[BoardRow]:
    groups: dict[tuple[str, ...], list[Summary]] = defaultdict(list)
    for one in summaries:
        groups[one.method, one.recipe_hash, one.code_hash, one.selection].append(one)
    rows, keys = [], set()
    for group in groups.values():
        for number, seeds in enumerate(_layers(group)):
            row = _run_row(seeds, number, infos.get(seeds[0].method), names)
            # Two methods or selections with one recipe hash are somebody's forgery, or a future
            # version's; they are shown, under keys of their own.
            if row.key in keys:
                row = row._replace(key=f"{row.key}-{row.run_ids[0]}")
            keys.add(row.key)
            rows.append(row)
    return rows


def _layers(group: Sequence[Summary]) -> list[list[Summary]]:
    """Groups in which every seed is once: the newest runs first, a seed's earlier runs after."""
    by_seed: dict[int, list[Summary]] = defaultdict(list)
    for one in sorted(group, key=lambda s: (s.created, s.run_id), reverse=True):
        by_seed[one.seed].append(one)
    deepest = max(map(len, by_seed.values()))
    return [
        [runs[depth] for _, runs in sorted(by_seed.items()) if depth < len(runs)]
        for depth in range(deepest)
    ]


def _run_row(
    seeds: Sequence[Summary], number: int, info: MethodInfo | None, names: Names
) -> BoardRow:
    first, several = seeds[0], len(seeds) > 1
    key = f"{first.recipe_hash[:12]}-{first.code_hash[:6]}"
    values = {name: [s.metrics[name] for s in seeds] for name in METRICS}
    return BoardRow(
        kind="run",
        key=key if number == 0 else f"{key}-{number + 1}",
        title=names.of_run(first),
        method=first.method,
        year=info.year if info else None,
        venue=info.venue if info else "",
        backbone=info.backbone if info else "",
        recipe=first.recipe,
        track=names.track(first),
        seeds=tuple(s.seed for s in seeds),
        run_ids=tuple(s.run_id.partition(OF_RUN)[0] for s in seeds),
        metrics={name: fmean(v) for name, v in values.items()} if several else first.metrics,
        spread={name: stdev(v) for name, v in values.items()} if several else None,
        intervals={} if several else first.intervals,
        rank=None,
        tie_group=None,
        trust=min((s.trust for s in seeds), key=lambda trust: trust.rank),
        selection=first.selection,
        tags=_tags(first, info),
        pretraining=_pretraining(first.pretrained, info),
        parameters=first.parameters,
        gflops=first.gflops,
        descriptor=first.descriptor,
        source="",
        source_url=info.url if info else "",
        conflict="",
        created=max(s.created for s in seeds),
        sweeps=tuple(sorted({s.sweep for s in seeds if s.sweep})),
        family=names.family(first),
        variant=names.variant(first),
        code_hash=first.code_hash,
        scored=tuple(s.run_id for s in seeds) if OF_RUN in first.run_id else (),
    )


def _tags(summary: Summary, info: MethodInfo | None) -> tuple[str, ...]:
    found = [f"pretraining:{_pretraining(summary.pretrained, info) or 'unknown'}"]
    if summary.selection == "test":
        found.append("test-selection")
    # What the record says counts, whoever declares the method.
    said = captions_of(summary.dataset)
    told = [TEST_TEXT, f"captions:{said}"] if said else []
    return tuple(dict.fromkeys([*found, *(info.tags if info else ()), *told]))


def _pretraining(pretrained: str, info: MethodInfo | None) -> str:
    """What the weights were learnt on; the path of a file tells others nothing and is not shown."""
    if pretrained == "imagenet" and info is not None:
        return info.hub_pretraining
    return pretrained if pretrained in ("imagenet", "none", "") else "file"


def _claim_row(claim: Claimed) -> BoardRow:
    printed = {name: getattr(claim, name) for name in METRICS}
    return BoardRow(
        kind="claim",
        key=claim.id,
        title=f"{claim.method} ({claim.variant})" if claim.variant else claim.method,
        method=claim.method_key,
        year=claim.year,
        venue=claim.venue,
        backbone=claim.backbone,
        recipe="",
        track="",
        seeds=(),
        run_ids=(),
        metrics={name: value for name, value in printed.items() if value is not None},
        spread=None,
        intervals={},
        rank=None,
        tie_group=None,
        trust=Trust.CLAIMED,
        selection="",
        tags=tuple(claim.tags),
        pretraining=claim.pretraining,
        parameters=None if claim.params_m is None else round(claim.params_m * 1e6),
        gflops=claim.flops_g,
        descriptor=None,
        source=claim.source,
        source_url=claim.source_url,
        conflict=claim.conflict,
        created="",
        family=claim.method,
        variant=claim.variant,
    )
