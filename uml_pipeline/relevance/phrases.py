"""Class names in sentences: which a sentence holds, and what is left of it without its own."""

from collections.abc import Iterable, Iterator, Sequence

from uml_pipeline.silo.words import words

Words = tuple[str, ...]
ARTICLES = frozenset({"a", "an", "the"})
NAME = "_"  # no word: `words` knows none with an underscore


class Names:
    """The classes of a silo, found in texts word for word; the last word may have a plural's `s`."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._names: dict[Words, str] = {tuple(words(label)): label for label in sorted(labels)}
        self._names.pop((), None)  # a label without letters and digits
        self._longest = max(map(len, self._names), default=0)

    def found(self, text: Sequence[str]) -> set[str]:
        """Classes that the words of a text name."""
        return {label for _, _, label in self._places(text)}

    def without(self, text: Sequence[str], label: str) -> Words:
        """The words without articles, and with a placeholder for the name of `label`."""
        left, at = [], 0
        starts = {start: end for start, end, found in self._places(text) if found == label}
        while at < len(text):
            left.append(NAME if at in starts else text[at])
            at = starts.get(at, at + 1)
        return tuple(word for word in left if word not in ARTICLES)

    def _places(self, text: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        for start in range(len(text)):
            for end in range(start + 1, min(start + self._longest, len(text)) + 1):
                phrase = tuple(text[start:end])
                label = self._names.get(phrase) or self._names.get((*phrase[:-1], phrase[-1].removesuffix("s")))
                if label is not None:
                    yield start, end, label
