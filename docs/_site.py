"""MkDocs' hook: the site's pages stand where the repository has them, and what the code tells is added.

A link from a guide to ../README.md or ../assets/dagster.yaml is thus the same on the site and in the repository.
"""

from pathlib import Path

from _reference import commands, parameters  # beside this file: MkDocs puts its folder on the path
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
STUDIES = sorted(
    path.relative_to(ROOT).as_posix() for end in ("*.svg", "README.md") for path in ROOT.glob(f"studies/*/{end}")
)
BESIDE = ("README.md", "NOTICE", "studies/README.md", "studies/peers.py", "assets/dagster.yaml", *STUDIES)  # linked to
MADE = {"docs/api/cli.md": commands, "docs/api/params.md": parameters}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Move the guides from the site's root to docs/, and add what stands beside them."""
    guides = [file for file in files if file.src_dir == config.docs_dir and not file.inclusion.is_excluded()]
    for file in guides:
        files.remove(file)
    for path in [*BESIDE, *(f"docs/{file.src_uri}" for file in guides)]:
        files.append(File(path, str(ROOT), config.site_dir, config.use_directory_urls))
    for path, make in MADE.items():
        files.append(File.generated(config, path, content=make()))
    return files
