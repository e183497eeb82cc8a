from uml_pipeline.silo.manifest import read_manifest, read_quality

__all__ = ["read_manifest", "read_quality"]
