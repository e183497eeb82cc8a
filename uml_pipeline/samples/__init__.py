"""What a sample is, where it lies and how it is opened. Below the rooms: `silo` measures samples, `features` encodes
them, and both must see the same pixels.
"""

from uml_pipeline.samples.container import Container, Entry, Sample
from uml_pipeline.samples.opening import Opener, open_container

__all__ = ["Container", "Entry", "Opener", "Sample", "open_container"]
