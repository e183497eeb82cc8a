import numpy as np

from uml_pipeline.learn.splits import episodes
from uml_pipeline.trunk.arms import Setting
from uml_pipeline.trunk.closed import logistic
from uml_pipeline.trunk.compare import compare, pose
from uml_pipeline.trunk.config import ExchangeConfig
from uml_pipeline.trunk.exchange import COLUMNS, measure
from uml_pipeline.trunk.probe import hits

ARMS = ("logreg", "uml_convex", "uml_closed")
SHOTS = (1, 2)


def grid(made, config=ExchangeConfig(splits=5, auxiliary=[1, 3])):
    drawn = [one for shots in SHOTS for one in episodes(made.target.manifest, shots, 5)]
    results = compare(made, drawn)
    return measure(made, drawn, results, config), results


def test_every_cell_of_the_grid_is_there_once(inputs, text):
    found, _ = grid(inputs([text()], only=ARMS))
    assert list(found) == COLUMNS
    assert all(list(cells) == [0, 1, 3, 8] for _, cells in found.groupby(["shots", "seed"])["level"])
    assert len(found) == len(SHOTS) * 5 * 4
    assert (found["auxiliary"] == found["level"]).all()  # every class has eight texts
    assert found["words"].isna().all()  # made of numbers


def test_related_texts_are_worth_something_and_more_of_them_more(inputs, text):
    found, _ = grid(inputs([text()], only=ARMS))
    shares = found[found["shots"] == 1].groupby("level")[["correct", "samples"]].sum()
    accuracy = (shares["correct"] / shares["samples"]).to_numpy()
    assert accuracy[1] > accuracy[0] + 0.05
    assert accuracy[-1] > accuracy[1]


def test_without_texts_the_convex_arm_is_logistic_regression(inputs, text):
    made = inputs([text()], only=("logreg", "uml_convex"))
    found, results = grid(made)
    chosen = [one.setting.strength for one in results if one.arm.name == "uml_convex" and one.episode.shots == 1]
    strength = max(set(chosen), key=lambda one: (chosen.count(one), -one))
    setting = Setting(strength=strength)
    for row in found[(found["level"] == 0) & (found["shots"] == 1)].itertuples():
        episode = episodes(made.target.manifest, 1, 5)[row.seed]
        problem = pose(made, episode)
        head = logistic(problem, setting)
        y = made.target.index(made.classes)
        test = problem.look_at(made.target.x[episode.test], y[episode.test])
        assert row.correct == hits(head, test)[0].sum()


def test_one_silo_at_a_time_and_each_from_the_same_start(inputs, text):
    made = inputs([text(), text("more", seed=5)], only=ARMS)
    found, _ = grid(made)
    assert set(found["silo"]) == {"text", "more"}
    start = found[found["level"] == 0].pivot(index=["shots", "seed"], columns="silo", values="correct")
    assert (start["text"] == start["more"]).all()


def test_bridges_are_read_throughout(inputs, text, photos):
    made = inputs([text(), photos], only=("bridge_mean", "uml_closed"))
    found, _ = grid(made)
    assert set(found["silo"]) == {"text"}
    alone, _ = grid(inputs([text()], only=("class_mean", "uml_closed")))
    ours, theirs = (table[table["level"] == 0]["correct"].to_numpy() for table in (found, alone))
    assert np.any(ours != theirs)


def test_nothing_to_exchange_gives_an_empty_table(inputs, text):
    assert grid(inputs([], only=("logreg",)))[0].empty
    assert grid(inputs([text()], only=ARMS), ExchangeConfig(splits=0))[0].empty
