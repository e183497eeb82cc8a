"""What DVC compares between two versions of a study: the few numbers that count, and two curves to draw."""

from pathlib import Path
from typing import Any

import pandas as pd

from uml_pipeline.report.evidence import Evidence
from uml_pipeline.report.results import Gain, Trunk
from uml_pipeline.workspace import write_json

METRICS, ACCURACY, GAINS = "summary.json", "plots/accuracy.csv", "plots/gains.csv"


def write(found: Evidence, folder: Path) -> None:
    """Write METRICS, ACCURACY and GAINS, as `pipeline.TRACKED` tells DVC of them."""
    write_json(folder / METRICS, numbers(found))
    (folder / ACCURACY).parent.mkdir()
    accuracies(found.trunk).to_csv(folder / ACCURACY, index=False)
    gains(found.trunk).to_csv(folder / GAINS, index=False)


def numbers(found: Evidence) -> dict[str, Any]:
    """Accuracies in percent, gains in points: what ships, and by shots the best UML arm against its strongest peer."""
    trunk = found.trunk
    return {
        "ships": trunk.label(trunk.ships.method),
        "test": {"ships": trunk.test.ships, "baseline": trunk.test.baseline},
        "shots": {str(gain.shots): _compared(trunk, gain) for gain in trunk.judged},
        "silos": {
            one.silo: {"verdict": one.verdict, "p": one.p_value, "used": int(one.used)} for one in found.verdicts
        },
    }


def _compared(trunk: Trunk, gain: Gain) -> dict[str, Any]:
    ours, peer = trunk.run(gain.method, gain.shots), trunk.run(gain.against, gain.shots)
    assert ours and peer, "a gain is of two arms that were run"
    return {"uml": ours.mean, "peer": peer.mean, "gain": gain.mean, "low": gain.low, "high": gain.high}


def accuracies(trunk: Trunk) -> pd.DataFrame:
    """`shots`, and the percentages of what ships, of the baseline it had to beat, and of the best UML arm."""
    best = trunk.judged[0].method if trunk.judged else None
    arms = {"ships": trunk.ships.method, "baseline": trunk.ships.against, "uml": best}
    means = {name: [_mean(trunk, method, shots) for shots in trunk.shots] for name, method in arms.items()}
    return pd.DataFrame({"shots": trunk.shots, **means})


def gains(trunk: Trunk) -> pd.DataFrame:
    """Each UML arm with its shots, and its gain over the strongest peer in points, at the fewest shots first."""
    ours = trunk.of("uml")
    rows = [(f"{trunk.label(one.method)}, {one.shots}", one.mean) for one in trunk.strict if one.method in ours]
    return pd.DataFrame(rows, columns=["arm", "gain"])


def _mean(trunk: Trunk, method: str | None, shots: int) -> float | None:
    run = trunk.run(method, shots) if method else None
    return run.mean if run else None
