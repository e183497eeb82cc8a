import numpy as np

from uml_pipeline.pipeline import Step, call
from uml_pipeline.report.understanding.understand import understand
from uml_pipeline.trunk import recipes
from uml_pipeline.trunk.decision import Decision


def test_two_tuned_encoders_are_each_seen_through_their_own(tuned, monkeypatch):
    """As if the rival had won: so short a training never does."""

    def rival_wins(alone, rivals, judge, **words):
        return Decision(rivals[0], alone[0], None, "it was told to", rivals[0])

    monkeypatch.setattr(recipes, "never_worse", rival_wins)
    study = tuned(probe_steps=0)  # a head that knows nothing: every step helps
    for stage in ("trunk", "model"):
        call(study, Step(stage))
    found = understand(study)
    assert found["contest"]["ours"]["shipped"]
    rank = found["clusters"]["input"]["effective_rank"]
    assert rank["ours"] != rank["baseline"]
    assert "note" not in found["clusters"]["input"]
    assert "mode probe" in found["classes"]["cannot_say"]
    rows = found["robustness"]["rows"]
    assert len(rows) == 21
    assert np.isfinite([row["ours"] for row in rows]).all()
