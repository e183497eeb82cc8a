"""Kill -9 at random moments of an extraction: nothing is lost, nothing is double, the bytes are the same."""

import random
import shutil
import subprocess
import sys
import time

import pandas as pd
import pytest

from uml_pipeline.cache import Cache
from uml_pipeline.features.stage import run
from uml_pipeline.silo.stage import run as run_silo
from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace

KILLS = 10
SCRIPT = """
import sys, time
from uml_pipeline.features import emoji, filling, stage
from uml_pipeline.study import Study
filling._SECONDS = 0.0  # small sample, small shards
prepare = emoji.EmojiEncoder.prepare
def slow(self, samples):
    time.sleep(0.2)
    return prepare(self, samples)
emoji.EmojiEncoder.prepare = slow
study = Study(sys.argv[1])
print("begun", flush=True)
stage.run(study, "drawings")
"""


def artifact(folder):
    files = (folder / "artifacts" / "features" / "drawings").iterdir()
    return {path.name: path.read_bytes() for path in sorted(files)}


def cached(folder):
    [path] = (folder / ".uml").glob("features-*.db")
    manifest = pd.read_parquet(folder / "artifacts" / "silo" / "drawings" / "manifest.parquet")
    with Cache(folder, path.stem) as cache:
        return {key for key, _ in cache.get(manifest["sample_id"])}


@pytest.mark.slow
def test_killed_ten_times(tiny_study, tmp_path):
    run_silo(tiny_study, "drawings")
    whole = tmp_path / "whole"
    shutil.copytree(tiny_study.folder, whole)
    run(Study(whole), "drawings")
    dice, before = random.Random(), set()
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, tiny_study.folder], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"begun\n"
        time.sleep(dice.uniform(0, 1.5))
        process.kill()
        process.communicate()
        if (tiny_study.folder / ".uml").is_dir() and list((tiny_study.folder / ".uml").glob("features-*.db")):
            now = cached(tiny_study.folder)
            assert before <= now  # what was kept once stays
            before = now
    assert before
    run(tiny_study, "drawings")
    assert artifact(tiny_study.folder) == artifact(whole)
    index = pd.read_parquet(Workspace(tiny_study.folder).reading("features", "drawings") / "index.parquet")
    manifest = pd.read_parquet(Workspace(tiny_study.folder).reading("silo", "drawings") / "manifest.parquet")
    assert index["sample_id"].tolist() == manifest["sample_id"].drop_duplicates().tolist()
