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


NAMED = {"cat": ["Cats purr.", "Cats like fish.", "A cat climbs."], "dog": ["Dogs bark.", "A dog digs.", "Big dogs."]}


def under(**names):
    """The texts of each class under the name of another."""
    return [(text, names.get(label, label)) for label, texts in NAMED.items() for text in texts]


def test_classes_whose_texts_name_each_other_are_exchanged():
    found = quality(*under(cat="dog", dog="cat"), *SOUND[4:])
    assert found.renamed == [("cat", "dog"), ("dog", "cat")]
    assert found.reasons()[0] == "'cat' and 'dog' seem to be exchanged: the texts of each name the other"
    assert found.alarming
    assert not quality(*under(), *SOUND[4:]).alarming


def test_a_class_whose_texts_name_another_one_is_told():
    one_way = quality(*under(cat="owl")[:3], ("It barks.", "dog"), ("It purrs.", "cat"))
    assert one_way.renamed == [("owl", "cat")]
    assert one_way.reasons()[0] == "most texts of 1 class name another one instead: owl (cat)"
    assert not quality(*under(cat="owl")[:2], ("It barks.", "dog"), ("It purrs.", "cat")).alarming


def test_many_renamed_classes_are_not_all_listed():
    """Nine classes in turn have each other's texts."""
    names = [f"thing{one}" for one in range(9)]
    texts = [(f"{names[one]} {word}", names[one - 1]) for one in range(9) for word in ("stands", "lies", "falls")]
    [said, *_] = quality(*texts).reasons()
    assert said.startswith("most texts of 9 classes name another one instead: thing0 (thing1), ")
    assert said.endswith(", …")


def test_shares_are_told_and_kept():
    found = quality(*SOUND, ("A cat.", "cat"))
    assert found.shares["name only"] == pytest.approx(1 / 7)
    assert found.reasons() == ["14% of its texts say nothing but their class's name"]
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
