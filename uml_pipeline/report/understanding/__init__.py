"""Why the model is better, or not: margins, alignment, classes, exchange rates, settings. All: `understand`."""
