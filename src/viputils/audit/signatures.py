"""Signatures of published issues, made and checked with ssh-keygen (OpenSSH).

Checksums show an accident. Somebody who changes records and register, and computes every checksum again, is only found
by a signature. It is of the issue's line in the index, whose checksums cover the figures and the manifest.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from viputils.audit.register import (
    INDEX_COLUMNS,
    SIGNATURE_SUFFIX,
    SIGNERS,
    PublishedIssue,
    change_register,
    index_values,
)
from viputils.config.project import Project
from viputils.core.errors import ParameterError, Problem

NAMESPACE: Final = "vip-issue"
Sign = Callable[[str], bytes]

SIGNED: Final = "signed"
UNSIGNED: Final = "not signed"
WRONG: Final = "does not fit"
UNKNOWN: Final = "unknown signer"
NOT_CHECKED: Final = "not checked"

_KEY: Final = re.compile(r"\b(\S+ key SHA256:\S+)")
_NO_PROGRAM: Final = "ssh-keygen is not installed. Install OpenSSH (Debian: openssh-client)."


@dataclass(frozen=True)
class Signature:
    """What the signature of an issue shows.

    Attributes
    ----------
    status
        ``signed``, ``not signed``, ``does not fit``, ``unknown signer`` or ``not checked``.
    signer
        Who signed it, as data/published/allowed_signers names the key.
    key
        The kind and the fingerprint of the key: ``ED25519 key SHA256:…``.
    why
        Why it is not checked, or not accepted.
    """

    issue: str
    status: str
    signer: str = ""
    key: str = ""
    why: str = ""

    @property
    def sentence(self) -> str:
        """What readers should know of it."""
        file = f"data/published/{self.issue}{SIGNATURE_SUFFIX}"
        return {
            SIGNED: f"Signed by {self.signer} ({self.key}).",
            UNSIGNED: "Not signed.",
            WRONG: f"The signature does not fit: the issue or {file} was changed after it was signed.",
            UNKNOWN: f"Signed with an unknown key ({self.key}): {self.why}",
            NOT_CHECKED: f"The signature was not checked: {self.why}",
        }[self.status]


def signer_with(key: Path) -> Sign:
    """Return what signs a text with an SSH key. The key can be the public part of one that ssh-agent has.

    Raises
    ------
    ParameterError
        If the key is missing, or it has a passphrase and there is no terminal; when called, if the key signs nothing.
    """
    if not key.is_file():
        raise _not_signed(key, "is not a file;", "name the file of an SSH key: --sign ~/.ssh/id_ed25519.")
    if key.suffix != ".pub" and not sys.stdin.isatty():
        known = _run("-y", "-P", "", "-f", str(key))
        if known.returncode and "passphrase" in known.stderr:
            remedy = f"run the command in a terminal, or add the key with ssh-add and name {key}.pub."
            raise _not_signed(key, "has a passphrase, and there is no terminal to ask for it;", remedy)

    def sign(text: str) -> bytes:
        done = _run("-Y", "sign", "-f", str(key), "-n", NAMESPACE, "-q", text=text)
        if done.returncode or not done.stdout.startswith("-----BEGIN SSH SIGNATURE-----"):
            said = [line for line in done.stderr.splitlines() if line.strip("@ ")]
            raise _not_signed(key, f"cannot sign: {' '.join(said[-3:]) or 'ssh-keygen failed'}", "")
        return done.stdout.encode()

    return sign


def _not_signed(key: Path, what: str, remedy: str) -> ParameterError:
    return ParameterError("The issue cannot be signed. Nothing was written.", [Problem(f"--sign {key}", what, remedy)])


def signed_text(folder: Path, issue: PublishedIssue) -> str:
    """Return what is signed of an issue: its line of the index, one value on each line, without the empty ones."""
    values = zip(INDEX_COLUMNS, index_values(folder, issue), strict=True)
    return "".join(f"{column}: {value}\n" for column, value in values if value)


def sign_issue(project: Project, issue: PublishedIssue, key: Path) -> None:
    """Sign an issue that is in the register. An older signature is replaced.

    Raises
    ------
    PublishedError
        If the register is invalid.
    ParameterError
        As ``signer_with``.
    """
    sign = signer_with(key)
    change_register(project, lambda register: register.issues, lambda folder: write_signature(folder, issue, sign))


def write_signature(folder: Path, issue: PublishedIssue, sign: Sign | None) -> None:
    """Write the signature of an issue into the folder of the register, if it is signed."""
    if sign is not None:
        (folder / f"{issue.name}{SIGNATURE_SUFFIX}").write_bytes(sign(signed_text(folder, issue)))


def check_signatures(project: Project, issues: Sequence[PublishedIssue]) -> list[Signature]:
    """Return what the signature of each issue shows."""
    return [_checked(project, issue) for issue in issues]


def notes_on_key(project: Project, issue: PublishedIssue) -> list[str]:
    """Return what is left to do so that others can check the signature of an issue."""
    found = _checked(project, issue)
    if found.status != UNKNOWN:
        return []
    return [
        f"Note: data/published/{SIGNERS} does not list the key yet. Add a line with the e-mail address of its owner "
        f'and the content of the .pub file: NAME@EXAMPLE.ORG namespaces="{NAMESPACE}" ssh-ed25519 AAAA…'
    ]


def _checked(project: Project, issue: PublishedIssue) -> Signature:
    name = str(issue.name)
    file, signers = project.published / f"{name}{SIGNATURE_SUFFIX}", project.published / SIGNERS
    if not file.is_file():
        return Signature(name, UNSIGNED)
    text = signed_text(project.published, issue)
    try:
        fits = _run("-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(file), text=text)
    except ParameterError:
        return Signature(name, NOT_CHECKED, why=_NO_PROGRAM)
    found = _KEY.search(fits.stdout)
    if fits.returncode or found is None:
        return Signature(name, WRONG)
    if not signers.is_file():
        return Signature(name, UNKNOWN, key=found[1], why=f"there is no data/published/{SIGNERS}.")
    # A key that is replaced later has signed what was published before.
    day = issue.printed or issue.as_of
    given = ["-s", str(file), "-f", str(signers), *(["-O", f"verify-time={day:%Y%m%d}"] if day else [])]
    owners = _run("-Y", "find-principals", *given).stdout.splitlines()
    accepted = owners and not _run("-Y", "verify", "-n", NAMESPACE, "-I", owners[0], *given, text=text).returncode
    if not accepted:
        return Signature(name, UNKNOWN, key=found[1], why=f"data/published/{SIGNERS} does not allow it to sign this.")
    return Signature(name, SIGNED, owners[0], found[1])


def _run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run ssh-keygen. Without a terminal, it does not ask for a passphrase in another way."""
    alone = not sys.stdin.isatty()
    env = os.environ | {"LC_ALL": "C.UTF-8"} | ({"SSH_ASKPASS_REQUIRE": "never"} if alone else {})
    command = ["ssh-keygen", *arguments]
    try:
        # Bytes, because Windows would write other line ends.
        done = subprocess.run(  # noqa: S603 - the user's own OpenSSH, with files of the project
            command, input=text.encode(), capture_output=True, env=env, start_new_session=alone, check=False
        )
    except FileNotFoundError:
        raise ParameterError("ssh-keygen is missing.", [Problem("ssh-keygen", _NO_PROGRAM)]) from None
    said = (one.decode(errors="replace") for one in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(command, done.returncode, *said)
