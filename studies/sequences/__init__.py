"""Learning without labels: the affect set, each modality in turn the target; longer ones by name.

python -m studies sequences                                  # MOSI
python -m studies sequences --only digits --seeds 10         # also sounds, photos, photos_frozen: hours
"""

import shutil
from functools import partial

from studies.measure import Record, inputs_hash, prepared
from studies.place import Place
from studies.plan import Plan, Results
from studies.sequences.silos import SETTINGS
from studies.sequences.tables import rows
from studies.tables import foot, table
from uml_pipeline.learn.engine.world import World
from uml_pipeline.trunk.ssl.compute import compute


def _measured(name: str, place: Place, seeds: int) -> Record:
    """In a folder of its own, which holds finished trainings too: a run that was stopped goes on."""
    own = Place.at(place.folder / "sequences" / name)
    made = SETTINGS[name](own.folder, own.data)
    ssl = {**made["trunk"].get("ssl", {}), "device": "cpu"}
    trunk = {**made["trunk"], "mode": "ssl", "seeds": seeds, "ssl": ssl}
    study = prepared({**made, "trunk": trunk}, own)
    outcome = compute(study, World())
    heads, *body = rows(outcome)
    record = {"inputs": inputs_hash(study), "heads": heads, "rows": body, "ships": outcome.decision.ships.arm.name}
    shutil.rmtree(own.folder)
    return record


def blocks(results: Results) -> dict[str, str]:
    """Tables of the page."""
    shown = [
        f"**{name}** (ships `{one['ships']}`)\n\n{table(one['heads'], one['rows'])}" for name, one in results.items()
    ]
    return {"tables": "\n\n".join(shown), "foot": foot(results)}


PLAN = Plan(
    {name: partial(_measured, name) for name in SETTINGS},
    blocks,
    long=frozenset(name for name in SETTINGS if not name.startswith("mosi")),
)
