"""trunk: every arm on every episode, what each gains, and the recipe that ships, refit on all labelled samples."""

from uml_pipeline.progress import waiting
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
    from uml_pipeline.trunk.exchange import measure
    from uml_pipeline.trunk.final import accuracy_on_test, refit, save

    inputs = gather(study)
    drawn = draw(study, inputs)
    results = compare(inputs, drawn)
    with waiting("choosing what ships"):
        decision = choose(inputs, drawn, results)
        ships, baseline = (refit(inputs, recipe) for recipe in (decision.ships, decision.baseline))
        rival = refit(inputs, decision.rival) if decision.rival else None
    table = tables.runs(results)
    exchange = measure(inputs, drawn, results, study.params.trunk.exchange)
    with Workspace(study.folder).writing("trunk") as folder:
        table.to_parquet(folder / "runs.parquet", index=False)
        tables.classes(results, inputs.classes).to_parquet(folder / "classes.parquet", index=False)
        exchange.to_parquet(folder / "exchange.parquet", index=False)
        save(ships, folder / "ships.safetensors")
        save(baseline, folder / "baseline.safetensors")
        if rival is not None:
            save(rival, folder / "rival.safetensors")
        write_json(
            folder / "config.json",
            {
                "ships": decision.ships.describe(),
                "baseline": decision.baseline.describe(),
                "rival": decision.rival.describe() if decision.rival else None,
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
