"""trunk, mode finetune: the target's encoder learns too, beside frozen (or learning) auxiliary encoders."""
