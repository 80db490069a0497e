"""Pairs of samples of one prompt, for preference learning (DPO and its kin)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import BadQuery, NotFound
from .selections import Selection

if TYPE_CHECKING:
    from .corpus import Corpus


@dataclass(frozen=True)
class Pair:
    """Two samples of one prompt."""

    prompt: str
    #: The id of the sample with the higher score, and the other's.
    chosen: str
    rejected: str
    #: How much higher.
    difference: float


def make_pairs(corpus: Corpus, selection: Selection, by: str, margin: float, limit: int | None) -> list[Pair]:
    """See ``Corpus.pairs``. Samples without a score take no part."""
    if not math.isfinite(margin) or margin < 0:
        raise BadQuery("margin", f"is {margin}; it must be a number from 0 on")
    if limit is not None and limit < 1:
        raise BadQuery("limit", f"is {limit}; it must be at least 1")
    ids = [bytes.fromhex(sample) for sample in selection.ids]
    scores = corpus.catalogue.scores(ids, [by])[by]
    places = corpus.catalogue.places(ids)
    prompts: dict[str, list[tuple[float, str]]] = {}
    for sample in ids:
        place = places.get(sample)
        if place is None:
            raise NotFound(selection.name, f"sample {sample.hex()[:12]} is not in the corpus: run `attune verify`")
        if sample in scores:
            prompt = corpus.shards[place.shard].prompt(place.row)
            prompts.setdefault(prompt, []).append((scores[sample], sample.hex()))
    made: list[Pair] = []
    for prompt, members in prompts.items():
        members.sort(key=lambda member: (-member[0], member[1]))
        pairs = [
            Pair(prompt, best, worst, high - low)
            for place, (high, best) in enumerate(members)
            for low, worst in members[place + 1 :]
            if high - low >= margin and high > low
        ]
        pairs.sort(key=lambda pair: (-pair.difference, pair.chosen, pair.rejected))
        made += pairs[:limit]
    return made
