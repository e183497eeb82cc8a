"""Kills a trunk stage at random moments until it is through."""

import random
import subprocess
import sys
import time

from uml_pipeline.pipeline import Step, call
from uml_pipeline.workspace import Workspace

SCRIPT = """
import sys
import torch
from uml_pipeline.study import Study
from uml_pipeline.trunk.stage import run
torch.set_num_threads(1)
print("begun", flush=True)
run(Study(sys.argv[1]))
print("done", flush=True)
"""


def artifact(study):
    folder = Workspace(study.folder).reading("trunk")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def check_killed_until_done(whole, study):
    """`study` in a process that is killed again and again gives what `whole`, the same study, gives in one go."""
    call(whole, Step("trunk"))
    dice, kills = random.Random(), 0
    while True:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, study.folder], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "begun\n"
        if kills < 6:
            time.sleep(dice.uniform(0.5, 4))
            process.kill()
        kills += 1
        if process.communicate()[0] == "done\n":
            break
        assert not Workspace(study.folder).folder("trunk").exists()
    assert artifact(study) == artifact(whole)
    assert not (study.folder / ".uml" / study.params.trunk.mode).exists()
