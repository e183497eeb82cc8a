"""Self-supervised UML (UML, sec. 2): one causal Transformer over the sequences of all modalities."""
