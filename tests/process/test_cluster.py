"""Issues that the workers of a Dask cluster make: the same bytes, whole or not at all, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from tests.support.command import VIP, started_vip, vip
from tests.support.pages import plain_pages
from tests.support.processes import PATIENCE, gone, wait_until
from tests.support.projects import REPOSITORY, files_of, town, with_a_short_report
from viputils.config.project import Project
from viputils.core.errors import ClusterError
from viputils.core.months import ReportMonth
from viputils.publish.backfill import Order, orders_of, outcome_of
from viputils.publish.cluster import Made, carry_out_on, taken
from viputils.records.checksums import checksum
from viputils.report.render.embedded import EmbeddedEngine
from viputils.report.seal import sealed

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

OCTOBER, NOVEMBER = ReportMonth(2023, 10), ReportMonth(2023, 11)
ENGINE = EmbeddedEngine()


@dataclass
class Cluster:
    address: str
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def started(folder: Path, threads: tuple[int, ...], library: Path | None = None) -> Iterator[Cluster]:
    """A scheduler and some workers, each a process of its own with so many threads; none is started again."""
    folder.mkdir()
    where = folder / "scheduler.json"
    env = dict(os.environ) if library is None else {**os.environ, "PYTHONPATH": str(library)}
    quiet = {"cwd": folder, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    here = [
        "--scheduler-file",
        str(where),
        "--no-dashboard",
        "--dashboard-address",
        "127.0.0.1:0",
        "--host",
        "127.0.0.1",
    ]
    running = [subprocess.Popen([*dask, "scheduler", *here, "--port", "0"], **quiet)]  # type: ignore[call-overload]
    try:
        for number, some in enumerate(threads):
            local = ["--local-directory", str(folder / f"worker {number}"), "--nthreads", str(some), "--no-nanny"]
            running.append(subprocess.Popen([*dask, "worker", *here, *local], **quiet))  # type: ignore[call-overload]
        # The scheduler makes the file before it writes into it.
        wait_until(lambda: where.exists() and where.stat().st_size)
        address = json.loads(where.read_text())["address"]
        with distributed.Client(address, set_as_default=False, timeout=PATIENCE) as client:
            client.wait_for_workers(len(threads), timeout=PATIENCE) if threads else None
        yield Cluster(address, running[1:])
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town(tmp_path_factory.mktemp("towns") / "a town")


@pytest.fixture
def a_town(root: Path, tmp_path: Path) -> Path:
    return shutil.copytree(root, tmp_path / "a town")


@pytest.fixture(scope="module")
def alone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The issues of two months, each made alone."""
    by_itself = shutil.copytree(root, tmp_path_factory.mktemp("alone") / "a town")
    for month in ("2023-10", "2023-11"):
        done = started_vip("report", month, "--project", str(by_itself), "--engine", "embedded")
        assert done.returncode == 0, done.stderr
    return by_itself / "issues"


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same town with a report of one cell, for what needs no cluster."""
    return with_a_short_report(town(tmp_path_factory.mktemp("hamlets") / "a town"))


@pytest.fixture
def a_hamlet(hamlet: Path, tmp_path: Path) -> Path:
    return shutil.copytree(hamlet, tmp_path / "a town")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory.mktemp("cluster") / "a cluster", (2, 1)) as found:
        yield found


def backfill(root: Path, cluster: str, *arguments: str) -> list[str]:
    given = ["--project", str(root), "--engine", "embedded", "--executor", "dask", "--scheduler", cluster]
    return ["backfill", *arguments, *given]


def orders(root: Path, first: ReportMonth = OCTOBER) -> tuple[Project, list[Order]]:
    project = Project.open(root)
    return project, orders_of(project, first, NOVEMBER, ENGINE)[0]


@pytest.mark.cluster
def test_issues_have_the_bytes_that_they_have_when_they_are_made_alone(
    cluster: Cluster, a_town: Path, alone: Path
) -> None:
    done = vip(*backfill(a_town, cluster.address, "2023-10", "2023-11"))
    assert done.returncode == 0, done.stderr
    assert f"Connecting to {cluster.address} …" in done.stderr
    assert re.search(r"2 issues: 2 made; [0-9.]+ s\.", done.stdout)
    assert files_of(a_town / "issues") == files_of(alone)
    again = vip(*backfill(a_town, cluster.address, "2023-10", "2023-11"))
    assert "2 issues: 2 unchanged" in again.stdout


@pytest.mark.cluster
def test_workers_read_deliveries_from_an_address_and_speak_the_language_that_is_asked_for(
    cluster: Cluster, a_town: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "deliveries"
    shutil.move(a_town / "data" / "raw", elsewhere)
    program = a_town / "program.toml"
    place = f"file://{elsewhere}"
    program.write_text(
        program.read_text("utf-8").replace("[program]", f'[program]\ndeliveries = "{place}"', 1), "utf-8"
    )
    done = vip(*backfill(a_town, cluster.address, "2023-11", "2023-11", "--lang", "es"))
    assert done.returncode == 0, done.stderr
    made = files_of(a_town / "issues")
    assert "es/2023-11/vip-2023-11-es.html" in made
    done = started_vip("report", "2023-11", "--lang", "es", "--project", str(a_town), "--engine", "embedded")
    assert done.returncode == 0, done.stderr
    assert files_of(a_town / "issues") == made


@pytest.mark.cluster
def test_what_keeps_one_month_from_being_made_keeps_no_other(cluster: Cluster, a_town: Path) -> None:
    activities = a_town / "report" / "activities"
    (activities / "2023-10.md").write_text("# Too high\n", "utf-8")
    # What is allowed by name does not travel, so it is only found to be wrong here.
    (activities / "2023-09.allowed.toml").write_text("[[", "utf-8")
    done = vip(*backfill(a_town, cluster.address, "2023-09", "2023-11"))
    assert done.returncode == 2
    assert "2023-09: cannot be made. " in done.stdout
    assert "2023-10: cannot be made. " in done.stdout
    assert "2023-11: made in" in done.stdout
    assert "3 issues: 1 made, 2 could not be made;" in done.stdout
    assert [path.name for path in (a_town / "issues").iterdir() if not path.name.startswith(".")] == ["2023-11"]


@pytest.mark.cluster
def test_a_worker_with_other_code_makes_nothing(a_town: Path, tmp_path: Path) -> None:
    library = Path(
        shutil.copytree(REPOSITORY / "src", tmp_path / "other", ignore=shutil.ignore_patterns("__pycache__"))
    )
    with (library / "viputils" / "core" / "months.py").open("a") as file:
        file.write("# Another version.\n")
    with started(tmp_path / "cluster", (1,), library) as other:
        project, todo = orders(a_town, NOVEMBER)
        (outcome,) = carry_out_on(other.address, project, todo, ENGINE)
    assert "viputils: the worker runs other code; install the same version there, and start the worker again" in str(
        outcome.error
    )
    assert not (a_town / "issues" / "2023-11").exists()


@pytest.mark.cluster
def test_a_worker_that_read_its_code_before_it_was_brought_up_to_date_makes_nothing(
    a_town: Path, tmp_path: Path
) -> None:
    library = Path(
        shutil.copytree(REPOSITORY / "src", tmp_path / "other", ignore=shutil.ignore_patterns("__pycache__"))
    )
    path = library / "viputils" / "core" / "months.py"
    now = path.read_bytes()
    path.write_bytes(now + b"# An older version.\n")
    with started(tmp_path / "cluster", (1,), library) as other:
        with distributed.Client(other.address, set_as_default=False) as client:
            client.run(lambda: __import__("viputils.publish.cluster"))
        path.write_bytes(now)
        project, todo = orders(a_town, NOVEMBER)
        (outcome,) = carry_out_on(other.address, project, todo, ENGINE)
    assert "the worker runs other code" in str(outcome.error)
    assert not (a_town / "issues" / "2023-11").exists()


def made_in(root: Path) -> Made:
    """What a worker would send that made November in this project."""
    project, (order,) = orders(root, NOVEMBER)
    with sealed(project) as seal:
        outcome = outcome_of(seal, order, ENGINE)
    folder = root / "issues" / "2023-11"
    return Made(outcome, {name: (folder / name).read_bytes() for name in files_of(folder)})


@pytest.fixture(scope="module")
def sent(hamlet: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    with plain_pages():
        return made_in(shutil.copytree(hamlet, tmp_path_factory.mktemp("worker") / "a town"))


def refused(root: Path, made: Made, order: Order | None = None) -> str:
    outcome = taken(Project.open(root), order or made.outcome.order, made, ENGINE)
    assert outcome.error is not None
    assert not (root / "issues" / "2023-11").exists()
    return str(outcome.error)


def test_what_was_made_from_other_deliveries_is_refused(a_hamlet: Path, sent: Made) -> None:
    path = a_hamlet / "data" / "raw" / "2023-12-04" / "responses.csv"
    path.write_text(path.read_text("utf-8").replace("2023-11-02,DV", "2023-11-03,DV"), "utf-8")
    assert "was made from something else: data/raw/2023-12-04/responses.csv (deliveries): changed" in refused(
        a_hamlet, sent
    )


def test_what_was_torn_on_the_way_is_refused(a_hamlet: Path, sent: Made) -> None:
    without = {name: data for name, data in sent.files.items() if name != "figures.csv"}
    assert "issues/2023-11/figures.csv: is missing;" in refused(a_hamlet, replace(sent, files=without))
    edited = sent.files | {"figures.csv": sent.files["figures.csv"].replace(b",1\n", b",2\n")}
    assert "issues/2023-11/figures.csv: was edited" in refused(a_hamlet, replace(sent, files=edited))
    assert "is not JSON" in refused(a_hamlet, replace(sent, files={}))


def test_another_issue_than_was_asked_for_is_refused(a_hamlet: Path, sent: Made) -> None:
    order = replace(sent.outcome.order, as_of=sent.outcome.order.as_of.replace(day=5))
    assert "is another issue than was asked for" in refused(a_hamlet, sent, order)


def test_what_is_wrong_with_texts_that_no_worker_sees_is_the_fault_of_their_issue_alone(
    a_hamlet: Path, sent: Made
) -> None:
    activities = a_hamlet / "report" / "activities" / "2023-11.md"
    allowed = activities.with_suffix(".allowed.toml")
    allowed.write_text("[[", "utf-8")
    assert "report/activities/2023-11.allowed.toml" in refused(a_hamlet, sent)
    allowed.unlink()
    outcome = taken(
        Project.open(a_hamlet), sent.outcome.order, replace(sent, outcome=replace(sent.outcome, notes=())), ENGINE
    )
    assert outcome.error is None
    assert outcome.notes == sent.outcome.notes
    assert "there is no report/activities/2023-11.md" in outcome.notes[0]


def test_nothing_is_written_outside_the_folder_of_the_issue(a_hamlet: Path, sent: Made) -> None:
    before = files_of(a_hamlet)
    manifest = json.loads(sent.files["manifest.json"])
    manifest["outputs"]["../../../evil"] = checksum(a_hamlet / "program.toml")
    evil = {"manifest.json": json.dumps(manifest).encode(), "../../../evil": b"x"}
    assert "must be a path inside" in refused(a_hamlet, replace(sent, files=sent.files | evil))
    beside = replace(sent, files=sent.files | {"../beside": b"x", "another": b"x"})
    assert taken(Project.open(a_hamlet), sent.outcome.order, beside, ENGINE).error is None
    assert set(files_of(a_hamlet)) - set(before) == {f"issues/2023-11/{name}" for name in sent.files}


@pytest.mark.cluster
def test_a_local_cluster_will_do(a_town: Path, alone: Path, tmp_path: Path) -> None:
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path),
        silence_logs=50,
    ) as local:
        project, todo = orders(a_town)
        found = list(carry_out_on(local.scheduler_address, project, todo, ENGINE))
    assert [outcome.error for outcome in found] == [None, None]
    assert files_of(a_town / "issues") == files_of(alone)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--executor", "dask"], "--executor dask: needs a cluster; add --scheduler"),
        (
            ["--executor", "dask", "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"],
            "--jobs: sets the number of processes",
        ),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler: is only for a cluster; add --executor dask"),
    ],
)
def test_options_that_contradict_each_other_are_refused(a_hamlet: Path, arguments: list[str], said: str) -> None:
    done = vip("backfill", "2023-11", "2023-11", "--project", str(a_hamlet), *arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.cluster
def test_a_scheduler_that_is_not_there_is_named_in_plain_words(a_town: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
        project, todo = orders(a_town, NOVEMBER)
        with pytest.raises(ClusterError, match=f"{address}: does not answer"):
            list(carry_out_on(address, project, todo, ENGINE, patience=1))


@pytest.mark.cluster
def test_somebody_who_listens_and_never_answers_is_not_waited_for(a_town: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        project, todo = orders(a_town, NOVEMBER)
        with pytest.raises(ClusterError, match=f"{address}: does not answer"):
            list(carry_out_on(address, project, todo, ENGINE, patience=1))


@pytest.mark.parametrize("address", ["http://127.0.0.1:8786", "somewhere", "tcp://", "tcp://x:y"])
def test_what_is_no_address_of_a_scheduler_is_refused(a_hamlet: Path, address: str) -> None:
    done = vip(*backfill(a_hamlet, address, "2023-11", "2023-11"))
    assert done.returncode == 2
    assert f"{address}: is not the address of a scheduler; write it as in tcp://" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.cluster
def test_a_cluster_without_workers_is_named_in_plain_words(a_town: Path, tmp_path: Path) -> None:
    project, todo = orders(a_town, NOVEMBER)
    with started(tmp_path / "cluster", ()) as empty, pytest.raises(ClusterError, match="has no worker"):
        list(carry_out_on(empty.address, project, todo, ENGINE, patience=1))


@pytest.mark.cluster
def test_ctrl_c_leaves_whole_issues_and_no_process(cluster: Cluster, a_town: Path) -> None:
    command = [str(VIP), *backfill(a_town, cluster.address, "2023-07", "2023-11")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert ": made in" in running.stdout.readline()
    mine = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    found = re.search(
        r"Interrupted\. ([1-4]) of 5 issues (?:is|are) complete; run the command again to make the others\.",
        said,
    )
    assert found is not None
    assert "Traceback" not in said
    assert gone(mine)
    left = [path for path in (a_town / "issues").iterdir() if not path.name.startswith(".")]
    assert len(left) == int(found[1])
    for folder in left:
        outputs = json.loads((folder / "manifest.json").read_bytes())["outputs"]
        assert {file: checksum(folder / file) for file in outputs} == outputs


# The two last ones: they leave the cluster with fewer workers.


@pytest.mark.cluster
def test_a_worker_that_is_killed_in_the_middle_costs_no_issue(cluster: Cluster, a_town: Path, alone: Path) -> None:
    command = [str(VIP), *backfill(a_town, cluster.address, "2023-09", "2023-11")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    workers = [psutil.Process(one.pid) for one in cluster.workers]
    kernels: list[psutil.Process] = []
    at_work: list[psutil.Process] = []

    def has_begun() -> bool:
        # The scheduler decides which of them begins.
        for one in workers:
            if found := _kernels(one):
                kernels[:], at_work[:] = found, [one]
                return True
        return False

    wait_until(has_begun)
    (worker,) = at_work
    own = worker.children(recursive=True)
    worker.kill()
    out, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, said
    assert "3 issues: 3 made" in out
    assert gone([*kernels, *own]), "what the worker had started goes with it"
    for month in ("2023-10", "2023-11"):
        assert files_of(a_town / "issues" / month) == files_of(alone / month)


@pytest.mark.cluster
def test_where_no_worker_is_left_each_issue_that_was_not_made_is_named(cluster: Cluster, a_town: Path) -> None:
    project, todo = orders(a_town, ReportMonth(2023, 7))
    outcomes = carry_out_on(cluster.address, project, todo, ENGINE, patience=2)
    first = next(outcomes)
    # The test before it may have run in another process of pytest, which has a cluster of its own.
    for worker in cluster.workers:
        worker.kill()
    rest = list(outcomes)
    assert first.error is None
    assert len(rest) == 4
    lost = [outcome for outcome in rest if outcome.error is not None]
    assert lost
    assert all("no worker is left" in str(outcome.error) for outcome in lost)
    made = {order.place for order in todo} - {outcome.order.place for outcome in lost}
    assert {path.name for path in (a_town / "issues").iterdir() if not path.name.startswith(".")} == made


def _kernels(worker: psutil.Process) -> list[psutil.Process]:
    """The kernels that a worker has forked."""
    try:
        return [kernel for zygote in worker.children() for kernel in zygote.children()]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.cluster
def test_the_cluster_of_the_documentation_is_open_to_this_machine_alone(tmp_path: Path) -> None:
    """The commands of docs/operations.md, on free ports: each listens on the loopback address, its dashboard too."""
    lines = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()
    commands = [line.partition("#")[0].split()[1:] for line in lines if line.strip().startswith(".venv/bin/dask ")]
    assert [command[0] for command in commands] == ["scheduler", "worker"]
    where = str(tmp_path / "scheduler.json")
    running = []
    try:
        for command in commands:
            own = [part for part in command if not part.startswith("tcp://")]
            own = [re.sub(r"^127\.0\.0\.1:8787$", "127.0.0.1:0", part) for part in own]
            port = ["--port", "0"] if own[0] == "scheduler" else ["--local-directory", str(tmp_path)]
            command_line = [sys.executable, "-m", "dask", *own, *port, "--scheduler-file", where]
            running.append(
                psutil.Popen(command_line, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            wait_until(Path(where).exists)
        with distributed.Client(scheduler_file=where, set_as_default=False, timeout=PATIENCE) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            processes = [process for one in running for process in (one, *one.children(recursive=True))]
            addresses = {
                connection.laddr.ip
                for process in processes
                for connection in process.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            }
        assert addresses == {"127.0.0.1"}
    finally:
        for process in reversed(running):
            for one in (*process.children(recursive=True), process):
                one.kill()
            process.wait()
