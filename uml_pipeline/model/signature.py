"""Who vouches for a model: an SSH key signs its seal, which holds the hash of every file; OpenSSH does the rest."""

import shutil
import subprocess
from pathlib import Path

from uml_pipeline.errors import UserError
from uml_pipeline.model.folder import require_sealed
from uml_pipeline.workspace import FINGERPRINT, SIGNATURE

_PURPOSE = "uml-model"  # OpenSSH's namespace: a signature for anything else is none here
_VERBS = {"sign": "sign", "find-principals": "know who signed", "verify": "vouch for"}


def sign(folder: Path, key: Path) -> Path:
    """Sign a model's seal with a private SSH key, or with a public one whose private one `ssh-agent` holds; the file
    with the signature, in the model's folder.

    Raises:
        UserError: the model is not whole, or OpenSSH does not sign it.
    """
    require_sealed(folder)
    (folder / SIGNATURE).unlink(missing_ok=True)  # OpenSSH asks before it writes over one
    _ssh("sign", "-f", str(key), "-n", _PURPOSE, str(folder / FINGERPRINT), fix="name a key of yours: `--key FILE`")
    return folder / SIGNATURE


def signer(folder: Path, signers: Path) -> str:
    """Who signed the model's seal as it is now.

    Args:
        folder: of the model.
        signers: OpenSSH's file of allowed signers, a line each: a name, and a public key.

    Raises:
        UserError: the model is not whole, or nobody signed it, or none of the signers.
    """
    require_sealed(folder)
    signature = folder / SIGNATURE
    if not signature.is_file():
        fix = "ask whoever made it to sign it: `uml sign`"
        raise UserError("the model is not signed", where=str(signature), fix=fix)
    fix = f"do not use the model, or add its maker to {signers}"
    known = ["-f", str(signers), "-s", str(signature)]
    name = _ssh("find-principals", *known, fix=fix).splitlines()[0].partition(",")[0]
    _ssh("verify", *known, "-n", _PURPOSE, "-I", name, fix=fix, content=(folder / FINGERPRINT).read_bytes())
    return name


def _ssh(verb: str, *words: str, fix: str, content: bytes | None = None) -> str:
    """What `ssh-keygen -Y verb` prints."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise UserError("there is no ssh-keygen", where="signing and its check", fix="install OpenSSH, 8.9 or newer")
    done = subprocess.run([program, "-Y", verb, *words], input=content, capture_output=True, check=False)
    if done.returncode:
        told = "; ".join((done.stdout + done.stderr).decode(errors="replace").splitlines())
        raise UserError(f"OpenSSH refuses to {_VERBS[verb]} the model", where=told, fix=fix)
    return done.stdout.decode(errors="replace")
