"""The declared condition: what reads something new is asked for, and nothing that reads the same bytes again."""

from collections.abc import Iterator

import dagster as dg
import pytest

from assets.definitions import build
from assets.plan import Plan
from uml_pipeline.study import Study


class Home:
    """An instance in which every asset of a study was made, and the conditions' cursor."""

    def __init__(self, study: Study, instance: dg.DagsterInstance) -> None:
        self._defs, self._instance, self._cursor = build(study), instance, None
        plan = Plan(study)
        self.codes = {spec.key: spec.code_version for spec in self._defs.resolve_all_asset_specs()}
        for step in plan.graph:
            for key in plan.keys(step):
                self.made(key.to_user_string(), "1")
        for name in study.params.silos:
            self.checked(name, passed=True)

    def made(self, key: str, version: str) -> None:
        """What a run would report: the asset, with the version of its bytes."""
        asset = dg.AssetKey.from_user_string(key)
        tags = {"dagster/data_version": version, "dagster/code_version": self.codes[asset] or ""}
        self._instance.report_runless_asset_event(dg.AssetMaterialization(asset, tags=tags))

    def checked(self, silo: str, *, passed: bool) -> None:
        self._instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(check_name="sound", passed=passed, asset_key=dg.AssetKey(["silo", silo]))
        )

    def asked(self) -> set[str]:
        """What one look of the conditions asks for."""
        every = dg.AssetSelection.all()
        done = dg.evaluate_automation_conditions(self._defs, self._instance, every, cursor=self._cursor)
        self._cursor = done.cursor
        return {key.to_user_string() for key in self.codes if done.get_num_requested(key)}


@pytest.fixture
def home(study: Study) -> Iterator[Home]:
    with dg.DagsterInstance.ephemeral() as instance:
        home = Home(study, instance)
        assert home.asked() == set()
        yield home


READERS = {"features/texts", "relevance/texts", "trunk", "model", "report"}


def test_a_new_version_asks_for_its_readers_alone(home: Home) -> None:
    home.made("silo/texts", "2")
    assert home.asked() == READERS


def test_the_same_version_again_asks_for_nothing(home: Home) -> None:
    home.made("silo/texts", "1")
    assert home.asked() == set()


def test_a_silo_that_was_refused_feeds_nobody_until_it_is_sound(home: Home) -> None:
    home.made("silo/texts", "2")
    home.checked("texts", passed=False)
    assert home.asked() == set()
    home.checked("texts", passed=True)
    assert home.asked() == READERS
