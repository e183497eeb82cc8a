"""The model card: what the model is, how good, from what, for what, and how to use it. The hub reads its head."""

import yaml

from uml_pipeline.model.facts import Facts

_TASKS = {"table": "tabular-classification", "vector": "tabular-classification", "series": "time-series-classification"}
_SAMPLES = {"image": '["new.jpg"]', "audio": '["new.wav"]', "text": '["a text"]', "table": 'pd.read_csv("new.csv")'}
_TYPED = {"image": "new.jpg", "audio": "new.wav", "text": '"a text"', "table": "new.csv"}
_SHOWN = 8  # names of classes
_FEW = 5  # labelled samples of a class


def card(facts: Facts) -> str:
    """Markdown for the model folder's README.md; names from the study are kept on their lines and out of HTML."""
    parts = [_head(facts), _what(facts), _how_good(facts), _data(facts), _limits(facts), _use(facts)]
    return "\n\n".join(parts) + "\n"


def _head(facts: Facts) -> str:
    """YAML as the Hugging Face hub reads it."""
    modality = facts.encoder["modality"]
    task, test = _TASKS.get(modality, f"{modality}-classification"), facts.metrics["test"]
    name = facts.target
    accuracy = {
        "type": "accuracy",
        "name": "accuracy on the held-out test split",
        "value": round(test["ships"] / 100, 4),
    }
    result = {"task": {"type": task}, "dataset": {"name": name, "type": name}, "metrics": [accuracy]}
    head = {
        "library_name": "uml-pipeline",
        **({} if modality == "series" else {"pipeline_tag": task}),
        "tags": ["unpaired-multimodal", modality],
        "metrics": ["accuracy"],
        "model-index": [{"name": name, "results": [result]}],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---"


def _what(facts: Facts) -> str:
    config, encoder, classes = facts.config, facts.encoder, facts.config["classes"]
    modality = encoder["modality"]
    on_top = "one linear map"
    if "reader" in config:
        on_top = "a small Transformer and one linear map" if config["reader"]["shared"] else "a mean and one linear map"
    reads = "samples as sequences" if "reader" in config else f"{encoder['dim']} features"
    encoder_is = "fine-tuned with it" if config.get("mode") == "finetune" else "frozen"
    return f"""# {_plain(facts.target)}: {len(classes)} classes from one {modality}

Recognises {len(classes)} classes ({_some(classes)}) from one {modality}; no other
modality is needed, and it costs what its encoder and {on_top} cost.

- Method: {_plain(_arm(facts, "method")["label"])}. Why this one: {facts.metrics["ships"]["reason"]}.
- Encoder: `{encoder["encoder"]}` ({encoder_is}), {reads}; {on_top} on top."""


def _how_good(facts: Facts) -> str:
    test, rows = facts.metrics["test"], []
    for key, arm, who in (("ships", "method", "this model"), ("baseline", "against", "best without auxiliary silos")):
        label = _arm(facts, arm)["label"]
        rows.append(f"| {who}: {_plain(label)} | {test[key]:.1f} % | {wilson(test[key], test['samples'])} |")
    body = "\n".join(rows)
    return f"""## How good

{test["samples"]} held-out test samples, read once, after all choices were made:

| | correct | 95 % interval (Wilson) |
|---|---|---|
{body}"""


def _data(facts: Facts) -> str:
    lines = [
        f"- `{facts.target}`, the target: {facts.config['samples']} labelled samples to learn from and to validate on; "
        f"{int(facts.tested.sum())} are the test split."
    ]
    for name, verdict in facts.verdicts.items():
        used = "was there to learn from" if verdict["used"] else "was left out"
        lines.append(f"- `{name}`, auxiliary: judged `{verdict['verdict']}`, {used}.")
    if _arm(facts, "method")["kind"] != "uml":
        lines.append("- The method that ships learns from no silo of another modality.")
    body = "\n".join(lines)
    return f"""## Data

{body}

Where every byte comes from: `lineage.json`, or `uml lineage .`"""


def _limits(facts: Facts) -> str:
    """What it is for, and what nobody has tested."""
    modality = facts.encoder["modality"]
    few, untested = facts.learnt[facts.learnt < _FEW], facts.tested[facts.tested == 0]
    source = "Test samples come from the same sources as those that it learnt from: others are not tested."
    if facts.group:
        source = f"No {_plain(facts.group)} of a test sample is one that it learnt from; other sources are not tested."
    lines = [
        f"- For one {modality} like those of `{facts.target}`, of one of its classes.",
        "- It always names one of its classes: that a sample belongs to none of them it cannot say.",
        "- Not tested here: how well its probabilities are calibrated; spoilt samples (the report of the study is).",
        f"- {source}",
        f"- Classes with fewer than {_FEW} labelled samples to learn from: {_counted(few.index.tolist())}.",
        f"- Classes without a test sample: {_counted(untested.index.tolist())}.",
    ]
    return "## Intended use and limits\n\n" + "\n".join(lines)


def _use(facts: Facts) -> str:
    modality = facts.encoder["modality"]
    samples, typed = _SAMPLES.get(modality, "arrays"), _TYPED.get(modality, "new.npz")
    return f"""## Use

`pip install uml-pipeline`; what its encoder needs beyond that, it says. In a shell, and in Python, where scikit-learn
takes it for a classifier that is trained:

```
uml predict . {typed} --out preds.parquet
```

```python
from uml_pipeline.model import UnimodalModel

model = UnimodalModel.load("path/of/this/folder")  # or "hf://user/name"
labels, shares, features = model.predict(X), model.predict_proba(X), model.transform(X)  # X = {samples}
```"""


def wilson(percent: float, samples: int) -> str:
    """95% interval of an accuracy in percent, which holds near 100, too; `none` without a sample."""
    from scipy.stats import binomtest

    if not samples:
        return "none"
    low, high = binomtest(round(percent * samples / 100), samples).proportion_ci(method="wilson")
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _arm(facts: Facts, part: str) -> dict[str, str]:
    """What ships (`method`), or what it is held against (`against`)."""
    return facts.metrics["arms"][facts.metrics["ships"][part]]


def _counted(names: list[str]) -> str:
    return f"{len(names)} ({_some(names)})" if names else "none"


def _some(names: list[str]) -> str:
    return ", ".join(_plain(name) for name in names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _plain(name: str) -> str:
    """A name from the user's data, unable to start markup."""
    return "".join(" " if char.isspace() else char for char in name if char not in "<>[]`*_|#")
