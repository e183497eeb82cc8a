import os

# Arrow's own allocators keep what was freed: a fifth of a stage's memory (benchmarks/incremental.py)
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
