"""trunk: every arm on every episode, what each gains, and the recipe that ships, refit on all labelled samples."""

from uml_pipeline.study import Study
from uml_pipeline.workspace import Workspace, write_json


def run(study: Study) -> None:
    """Train, compare, decide, refit, and write artifacts/trunk.

    Raises:
        UserError: an upstream artifact is missing, the policy blocks a silo, or the target cannot be learnt.
    """
    if study.params.trunk.mode == "finetune":
        from uml_pipeline.trunk.finetune.stage import run as finetune

        finetune(study)
        return
    if study.params.trunk.mode == "ssl":
        from uml_pipeline.trunk.ssl.stage import run as ssl

        ssl(study)
        return
    from uml_pipeline.trunk import tables
    from uml_pipeline.trunk.compare import choose, compare, draw, gather
    from uml_pipeline.trunk.final import accuracy_on_test, refit, save

    inputs = gather(study)
    drawn = draw(study, inputs)
    results = compare(inputs, drawn)
    decision = choose(inputs, drawn, results)
    ships, baseline = (refit(inputs, recipe) for recipe in (decision.ships, decision.baseline))
    table = tables.runs(results)
    with Workspace(study.folder).writing("trunk") as folder:
        table.to_parquet(folder / "runs.parquet", index=False)
        save(ships, folder / "ships.safetensors")
        save(baseline, folder / "baseline.safetensors")
        write_json(
            folder / "config.json",
            {
                "ships": decision.ships.describe(),
                "baseline": decision.baseline.describe(),
                "classes": inputs.classes,
                "samples": ships.samples,
            },
        )
        metrics = {
            "runs": tables.summary(table),
            "gains": tables.gains(results),
            "arms": tables.arms(inputs.lineup),
            "ships": decision.describe(),
            "test": accuracy_on_test(inputs, ships, baseline),
        }
        write_json(folder / "metrics.json", metrics)
