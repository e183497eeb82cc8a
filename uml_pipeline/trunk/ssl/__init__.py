"""trunk, mode ssl: a Transformer learns from the sequences of all silos, without labels; a probe then reads it."""
