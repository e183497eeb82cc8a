"""The model card: what the model is, how good, how to use it."""

from typing import Any


def card(target: str, config: dict[str, Any], metrics: dict[str, Any], encoder: dict[str, Any]) -> str:
    """Markdown for the model folder's README.md; names from the study are kept on their lines and out of HTML."""
    ships, test, classes = metrics["ships"], metrics["test"], config["classes"]
    label = metrics["arms"][ships["method"]]["label"]
    encoder_is = "fine-tuned with it" if config.get("mode") == "finetune" else "frozen"
    on_top = "one linear map"
    if "reader" in config:
        on_top = "a small Transformer and one linear map" if config["reader"]["shared"] else "a mean and one linear map"
    reads = "samples as sequences" if "reader" in config else f"{encoder['dim']} features"
    some = ", ".join(_plain(name) for name in classes[:8])
    return f"""# {_plain(target)}: {len(classes)} classes from one {encoder["modality"]}

Recognises {len(classes)} classes ({some}{", …" if len(classes) > 8 else ""}) from one {encoder["modality"]}; no other
modality is needed, and it costs what its encoder and {on_top} cost.

- Method: {label}. Why this one: {ships["reason"]}.
- Encoder: `{encoder["encoder"]}` ({encoder_is}), {reads}; {on_top} on top.
- Trained on {config["samples"]} labelled samples.
- Held-out test split ({test["samples"]} samples): {test["ships"]:.1f} % correct; the best target-only recipe has
  {test["baseline"]:.1f} %.

```
uml predict . FILE...
```

```python
from uml_pipeline.model import load
load("path/of/this/folder").predict(["FILE"], top=3)
```

Where every byte comes from: `lineage.json`, or `uml lineage .`
"""


def _plain(name: str) -> str:
    """A name from the user's data, unable to start markup."""
    return "".join(" " if char.isspace() else char for char in name if char not in "<>[]`*_|#")
