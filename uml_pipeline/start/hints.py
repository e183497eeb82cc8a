"""What a person should know of a study's data before anything runs."""

from collections import Counter
from collections.abc import Iterator, Mapping

from uml_pipeline.errors import UserError
from uml_pipeline.relevance.coverage import coverage
from uml_pipeline.start.look import Look
from uml_pipeline.study import Study

_FEW = 2  # samples a class, below which a class cannot stand on two sides of a split


def unlearnable(target: Look, name: str) -> list[str]:
    """Why nothing can be learnt of the target `name`; empty: it can."""
    if len(target.classes) >= 2:
        return []
    fix = "put samples of each class in a folder of its own, or name the column with the classes: `label`"
    return [
        str(UserError(f"the target has {len(target.classes)} class(es); it takes two", where=f"silo {name!r}", fix=fix))
    ]


def hints(study: Study, seen: Mapping[str, Look], tried: Mapping[str, Counter[str]]) -> list[str]:
    """What will be set aside, which classes are too small, and what an auxiliary silo lacks. `tried`: what is wrong
    with some of the few samples of each silo that were decoded.
    """
    found = [*_set_aside(seen, tried)]
    if study.target not in seen:
        return found
    target = seen[study.target]
    if few := int((target.classes < _FEW).sum()):
        found.append(f"{study.target}: {few} classes have a single sample: they cannot be both learnt and tested")
    for name in study.auxiliary:
        if name in seen:
            found += [f"{name}: {reason}" for reason in coverage(target.labels, seen[name].labels).reasons()]
    return found or ([] if study.auxiliary else ["there is no auxiliary silo: the baseline alone will be trained"])


def _set_aside(seen: Mapping[str, Look], tried: Mapping[str, Counter[str]]) -> Iterator[str]:
    for name, one in seen.items():
        for reason, count in one.bad.items():
            yield f"{name}: {count} of {reason!r} will be set aside"
        for reason, count in tried.get(name, Counter[str]()).items():
            yield f"{name}: of {len(one.some)} samples that were tried, {count} will be set aside: {reason}"
