"""A signature of an issue shows who published it, and shows a register that was forged with every checksum right."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.pages import PlainEngine, issue_made
from tests.support.register import APPROVER
from viputils.audit.register import read_register
from viputils.audit.signatures import Signature, check_signatures, signed_text
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.records.checksums import checksum

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen (OpenSSH) is not installed")

OCTOBER = ReportMonth(2023, 10)
OWNER = "director@example.org"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("keys") / "key")


@pytest.fixture
def city(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> Project:
    """The repository's project with its October issue, made and not published."""
    return Project.open(shutil.copytree(artifacts.plain_issue("2023-10"), tmp_path / "a project"))


def new_key(path: Path, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path], check=True)
    return path


def published(city: Project, *more: str | Path) -> subprocess.CompletedProcess[str]:
    given = ("--printed", "2023-11-10", "--approved-by", APPROVER, *map(str, more))
    return vip("publish", "2023-10", *given, "--project", str(city.root))


def verified(city: Project, *more: str) -> subprocess.CompletedProcess[str]:
    return vip("verify", "2023-10", *more, "--project", str(city.root))


def allow(city: Project, key: Path, rules: str = 'namespaces="vip-issue"') -> None:
    public = key.with_suffix(".pub").read_text(encoding="utf-8")
    (city.published / "allowed_signers").write_text(f"{OWNER} {rules} {public}", encoding="utf-8")


def signature_of(city: Project) -> Signature:
    (found,) = check_signatures(city, read_register(city).of(OCTOBER))
    return found


def test_verify_says_who_signed_an_issue(city: Project, key: Path) -> None:
    done = published(city, "--sign", key)
    assert done.returncode == 0, done.stderr
    assert "Signed: data/published/2023-10.sig" in done.stdout
    assert "does not list the key yet" in done.stdout
    allow(city, key)
    done = verified(city)
    assert done.returncode == 0
    assert f"Signed by {OWNER} (ED25519 key SHA256:" in " ".join(done.stdout.split())
    (issue,) = json.loads(verified(city, "--json").stdout)["issues"]
    assert (issue["signature"]["status"], issue["signature"]["signer"]) == ("signed", OWNER)


def test_what_is_signed_is_the_line_of_the_index(city: Project, key: Path) -> None:
    published(city, "--sign", key)
    (issue,) = read_register(city).of(OCTOBER)
    lines = dict(line.split(": ", 1) for line in signed_text(city.published, issue).splitlines())
    assert lines["issue"] == "2023-10"
    assert lines["printed"] == "2023-11-10"
    assert lines["approved_by"] == APPROVER
    assert lines["sha256"] == checksum(city.published / "2023-10.csv")
    assert lines["manifest_sha256"] == checksum(city.published / "2023-10.manifest.json")
    assert "reason" not in lines


def test_a_register_forged_with_every_checksum_right_is_found_by_its_signature(city: Project, key: Path) -> None:
    published(city, "--sign", key)
    allow(city, key)
    signature = (city.published / "2023-10.sig").read_bytes()
    # Somebody changes a record, and lets the software make everything that follows from it again.
    delivery = city.root / "data" / "raw" / "2023-11-03" / "responses.csv"
    text = delivery.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "2023-10-" in line or "10/" in line)
    delivery.write_text(text.replace(f"{line}\n", ""), encoding="utf-8")
    for file in city.published.glob("2023-10.*"):
        file.unlink()
    index = city.published / "index.csv"
    kept = [one for one in index.read_text(encoding="utf-8").splitlines() if not one.startswith("2023-10,")]
    index.write_text("\n".join(kept) + "\n", encoding="utf-8")
    issue_made(city, "2023-10", PlainEngine())
    assert published(city).returncode == 0
    # Without the signature, nothing shows the forgery.
    done = verified(city)
    assert (done.returncode, "Not signed." in done.stdout) == (0, True)
    (city.published / "2023-10.sig").write_bytes(signature)
    done = verified(city)
    assert done.returncode == 1
    assert "The signature does not fit" in done.stdout
    assert signature_of(city).status == "does not fit"


@pytest.mark.parametrize("column", ["approved_by", "source", "as_of"])
def test_the_words_of_the_register_are_signed_too(city: Project, key: Path, column: str) -> None:
    published(city, "--sign", key)
    allow(city, key)
    index = city.published / "index.csv"
    text = index.read_text(encoding="utf-8")
    was = {"approved_by": APPROVER, "source": "Made from", "as_of": "2023-10,2023-11-03"}[column]
    now = {"approved_by": "B. Other", "source": "Taken from", "as_of": "2023-10,"}[column]
    assert was in text
    index.write_text(text.replace(f'"{was}"', f'"{now}"').replace(was, now), encoding="utf-8")
    assert signature_of(city).status == "does not fit"


def test_a_key_that_is_not_listed_is_unknown(city: Project, key: Path, tmp_path: Path) -> None:
    published(city, "--sign", key)
    done = verified(city)
    assert done.returncode == 2
    assert "there is no data/published/allowed_signers" in " ".join(done.stdout.split())
    allow(city, new_key(tmp_path / "other"))
    assert signature_of(city).status == "unknown signer"
    assert signature_of(city).key.startswith("ED25519 key SHA256:")
    # A key for other purposes does not sign issues.
    allow(city, key, 'namespaces="git"')
    assert signature_of(city).status == "unknown signer"


def test_a_key_counts_on_the_day_of_publication(city: Project, key: Path) -> None:
    published(city, "--sign", key)
    allow(city, key, 'valid-before="20240101"')
    assert signature_of(city).status == "signed"
    allow(city, key, 'valid-before="20231101"')
    assert signature_of(city).status == "unknown signer"


def test_an_issue_of_the_register_can_be_signed_later(city: Project, key: Path) -> None:
    published(city)
    before = {path.name: path.read_bytes() for path in city.published.iterdir()}
    allow(city, key)
    assert verified(city).returncode == 0
    done = vip("publish", "2023-10", "--sign", str(key), "--project", str(city.root))
    assert done.returncode == 0, done.stderr
    assert signature_of(city).status == "signed"
    # The signature is all that is new.
    after = {path.name: path.read_bytes() for path in city.published.iterdir()}
    assert after.keys() - before.keys() == {"2023-10.sig", "allowed_signers"}
    assert before.items() <= after.items()
    done = vip("publish", "2023-09", "--sign", str(key), "--project", str(city.root))
    assert done.returncode == 2
    assert "There is no issue of 2023-09 to sign." in done.stderr


def test_a_key_that_cannot_sign_publishes_nothing(
    city: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in city.published.iterdir()}
    broken = tmp_path / "broken"
    broken.write_text("no key", encoding="utf-8")
    broken.chmod(0o600)
    for file, message in (
        (tmp_path / "missing", "is not a file;"),
        (new_key(tmp_path / "locked", "a secret phrase"), "has a passphrase, and there is no terminal to ask for it;"),
        (broken, "cannot sign:"),
    ):
        done = published(city, "--sign", file)
        assert done.returncode == 2, file
        assert message in " ".join(done.stderr.split())
        assert "The issue cannot be signed. Nothing was written." in done.stderr
    fine = new_key(tmp_path / "fine")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    done = published(city, "--sign", fine)
    assert (done.returncode, "ssh-keygen is not installed." in done.stderr) == (2, True)
    assert {path.name: path.read_bytes() for path in city.published.iterdir()} == before


def test_without_ssh_keygen_a_signature_is_not_checked(
    city: Project, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(city, "--sign", key)
    allow(city, key)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    done = verified(city)
    assert done.returncode == 2
    assert "The signature was not checked: ssh-keygen is not installed." in " ".join(done.stdout.split())


def test_a_signed_issue_keeps_another_manifest_only_with_a_new_signature(
    artifacts: Artifacts, tmp_path: Path, plain_pages: None, key: Path
) -> None:
    city = Project.open(shutil.copytree(artifacts.plain_issue("2023-11"), tmp_path / "a project"))
    at = f"--project={city.root}"
    assert vip("publish", "2023-11", "--sign", str(key), at).returncode == 0
    allow(city, key)
    done = vip("publish", "2023-11", "--reproduction", at)
    assert done.returncode == 2
    assert "sign it again: add --sign KEY." in done.stderr
    done = vip("publish", "2023-11", "--reproduction", "--sign", str(key), at)
    assert done.returncode == 0, done.stderr
    (found,) = check_signatures(city, read_register(city).issues)
    assert found.status == "signed"
