import pandas as pd

from uml_pipeline.relevance.coverage import coverage


def labels(*names):
    return pd.Series(names, dtype="str")


def test_classes_meet_by_name():
    found = coverage(labels("cat", "dog", "dog", None, "owl"), labels("dog", "emu"))
    assert (found.shared, found.lacking, found.beyond) == (["dog"], ["cat", "owl"], ["emu"])
    assert found.reasons() == [
        "it lacks 2 of the target's 3 classes: cat, owl (50% of its samples)",
        "it has 1 class that the target has not",
    ]


def test_the_same_classes_need_no_words():
    assert coverage(labels("cat", "dog"), labels("dog", "cat")).reasons() == []


def test_a_class_written_otherwise_is_pointed_out():
    found = coverage(labels("snow_leopard", "dog"), labels("Snow Leopard", "dog"))
    assert found.reasons()[-1] == "'Snow Leopard' is 'snow_leopard' in the target: say so by `synonyms`"


def test_a_silo_without_labels():
    assert coverage(labels("cat"), labels(None, None)).reasons() == ["it has no labels"]


def test_what_is_missing_is_counted_in_samples():
    found = coverage(labels("cat", "dog", "dog", None, "owl"), labels("dog", None, None, "emu"))
    assert (found.uncovered, found.unlabelled) == (0.5, 0.5)
    assert found.reasons()[-1] == "50% of its samples have no label"


def test_many_classes_are_not_all_listed():
    [said] = coverage(labels("x", *map(str, range(50))), labels("x")).reasons()
    assert "…" in said and len(said) < 120
