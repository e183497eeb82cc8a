import json

import pandas as pd
import pytest

from uml_pipeline.relevance.phrases import NAME, Names
from uml_pipeline.relevance.texts import text_quality
from uml_pipeline.silo.words import words


def quality(*pairs):
    return text_quality(*(pd.Series(column, dtype=object) for column in zip(*pairs, strict=True)))


def reasons(found):
    """Row and reason of each finding."""
    return set(zip(found.suspicious.index, found.suspicious["reason"], strict=True))


SOUND = [
    ("Cats purr and climb trees at night.", "cat"),
    ("It has soft fur, whiskers and retractable claws.", "cat"),
    ("Dogs bark at strangers and guard houses.", "dog"),
    ("A loyal pet that wags its tail.", "dog"),
    ("Owls hunt mice in the dark.", "owl"),
    ("A bird with large eyes that turns its head.", "owl"),
]


def test_sound_texts_are_not_suspicious():
    found = quality(*SOUND)
    assert len(found.suspicious) == 0
    assert (found.reasons(), found.renamed, found.alarming) == ([], [], False)


@pytest.mark.parametrize(
    ("text", "label", "reason"),
    [
        ("A dog is a loyal friend of man.", "cat", "other name"),
        ("Dogs bark at strangers and guard houses.", "cat", "elsewhere"),
        ("cats purr, and climb trees (at night)", "cat", "copy"),
        ("Cats purr and climb trees at dusk.", "cat", "copy"),
        ("A cat.", "cat", "name only"),
        ("the cats", "cat", "name only"),
    ],
)
def test_each_reason_is_found(text, label, reason):
    found = quality(*SOUND, (text, label))
    assert (len(SOUND), reason) in reasons(found)


def test_sentences_of_many_classes_but_for_their_names_are_boiler_plate():
    photos = [("A photo of a cat.", "cat"), ("A photo of an owl.", "owl"), ("A photo of the dogs.", "dog")]
    found = quality(*SOUND, *photos)
    assert {(row, "boiler-plate") for row in (6, 7, 8)} <= reasons(found)
    assert (found.suspicious.loc[[6, 7, 8], "score"] == 3).all()
    assert "boiler-plate" not in set(quality(*SOUND, *photos[:2]).suspicious["reason"])


def test_a_name_within_the_own_name_is_not_another_class():
    found = quality(("This chair has spindles.", "windsor_chair"), ("A chair to sit on.", "chair"))
    assert len(found.suspicious) == 0


def test_both_names_are_no_fault():
    assert len(quality(("A cat, unlike a dog, climbs.", "cat"), ("It barks.", "dog")).suspicious) == 0


def test_classes_whose_texts_name_each_other_are_exchanged():
    turned = {"cat": "dog", "dog": "cat"}
    named = [("Cats purr at night.", "cat"), ("Cats like fish.", "cat"), ("Dogs bark.", "dog"), ("A dog digs.", "dog")]
    found = quality(*((text, turned[label]) for text, label in named), *SOUND[4:])
    assert found.renamed == [("cat", "dog"), ("dog", "cat")]
    assert found.reasons()[0] == "'cat' and 'dog' seem to be exchanged: the texts of each name the other"
    assert found.alarming
    one_way = quality(*((text, "cat") for text, _ in named[2:]), *SOUND[4:], ("It barks.", "dog"))
    assert one_way.reasons()[0] == "most texts of 'cat' name 'dog' instead"


def test_shares_are_told_and_kept():
    found = quality(*SOUND, ("A cat.", "cat"))
    assert found.shares["name only"] == pytest.approx(1 / 7)
    assert "14% of its texts: each says nothing but the class's name" in found.reasons()
    assert json.loads(json.dumps(found.evidence(), allow_nan=False))["renamed"] == []


def test_texts_without_a_label_do_not_count():
    assert quality(("A cat.", None)) is None
    found = quality(("A cat.", None), ("A dog.", "dog"), ("It barks.", "dog"))
    assert reasons(found) == {(1, "name only")}
    assert found.texts == 2


def test_names_are_found_as_whole_words_and_plurals():
    names = Names(["snow_leopard", "leopard", "!?"])
    assert names.found(words("Snow leopards, hunting")) == {"snow_leopard", "leopard"}
    assert names.found(words("snowleopards")) == set()
    assert names.without(words("The snow-leopard is a leopard"), "snow_leopard") == (NAME, "is", "leopard")
