"""Open OnDemand's apps and job templates on a real Slurm, as its portal submits and reaches them."""

import asyncio
import http.client
import json
import os
import re
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cluster import Cluster
from portal import App, documents, why_not
from small_jobs import frameworks, planned
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from stackgen import files
from stackgen.jobs import check_tree, job_tree, launcher_tree
from stackgen.modules import module_tree
from stackgen.notebooks import kernel_tree
from stackgen.ondemand import ondemand_tree

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

PACKAGES = {"jupyter-server": "2.17.0", "ipykernel": "7.1.0", "tensorboard": "2.20.0"}
PATIENCE = 60


@dataclass(frozen=True)
class Portal:
    """A portal with a release's apps, and its user."""

    cluster: Cluster
    release: Path
    framework: Path
    home: Path

    def address(self, node: str) -> str:
        conf = (self.cluster.directory / "slurm.conf").read_text()
        return re.search(rf"NodeName={node} NodeAddr=(\S+)", conf)[1]

    def app(self, kind: str) -> App:
        return App(self.release / f"share/ondemand/apps/hpai_{kind}")

    def start(self, kind: str, **chosen: str) -> "Session":
        """Submit a session as OnDemand does; of its environment nothing is handed over, but here the home."""
        app = self.app(kind)
        directory = self.home / f"{kind}-{len(list(self.home.iterdir()))}"
        script = app.stage(directory, **chosen)
        asked = app.submission(**chosen)["script"]
        minutes = f"--time={asked['wall_time'] // 60}"
        place = ("-D", str(directory), "-o", str(directory / "output.log"))
        options = (*place, minutes, "--export=HOME", *asked["native"])
        job = self.cluster.submit(script, options=options, environment={"HOME": str(self.home)})
        return Session(self, app, directory, job)


@dataclass(frozen=True)
class Session:
    """A job with a server."""

    portal: Portal
    app: App
    directory: Path
    job: int

    @property
    def said(self) -> str:
        log = self.directory / "output.log"
        return log.read_text() if log.exists() else ""

    def connection(self) -> dict[str, str]:
        """Where it is and how one gets in, once it says so."""
        path = self.directory / "connection.yml"
        deadline = time.monotonic() + PATIENCE
        while not path.exists() or path.read_text().count("\n") < 3:
            state = self.portal.cluster.job(self.job)["JobState"]
            assert state in {"PENDING", "RUNNING", "CONFIGURING"}, f"{state}: {self.said}"
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)
        assert path.stat().st_mode & 0o777 == 0o600
        return {name: str(value) for name, value in documents(path)[0].items()}

    def end(self) -> None:
        """Cancel it, and wait until nothing of it runs."""
        self.portal.cluster.run(("scancel", str(self.job)))
        self.portal.cluster.finished(self.job)
        wait_for(lambda: not running(str(self.directory)))


def wait_for(done: Callable[[], bool]) -> None:
    """Until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def running(text: str) -> list[str]:
    """The processes of this machine's nodes that have a text in their arguments or their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in told and int(process.name) != os.getpid():
            found.append(process.name)
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    text: str

    @property
    def cookies(self) -> dict[str, str]:
        set_cookies = [text for name, text in self.headers if name.lower() == "set-cookie"]
        return dict(text.partition(";")[0].split("=", 1) for text in set_cookies)


def ask(
    portal: Portal,
    connection: Mapping[str, str],
    path: str,
    method: str = "GET",
    body: str = "",
    **headers: str,
) -> Answer:
    """What OnDemand's proxy gets from a node, which it calls by its name, for a browser at the portal."""
    address, given = portal.address(connection["host"]), browser(connection)
    given |= {name.replace("_", "-"): text for name, text in headers.items()}
    with closing(http.client.HTTPConnection(address, int(connection["port"]), timeout=PATIENCE)) as asked:
        asked.request(method, path, body or None, given)
        answer = asked.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read().decode())


def browser(connection: Mapping[str, str]) -> dict[str, str]:
    """What the proxy hands over of a browser's request: its origin, but the node's name."""
    return {"Host": f"{connection['host']}:{connection['port']}", "Origin": "https://portal.site.example"}


async def printed(portal: Portal, connection: Mapping[str, str], path: str, cookie: str, code: str) -> str:
    """What a kernel prints that runs code, as a browser's socket gets it through the proxy."""
    url = f"ws://{portal.address(connection['host'])}:{connection['port']}{path}"
    headers = {**browser(connection), "Cookie": cookie}
    request = HTTPRequest(url, headers=headers, connect_timeout=PATIENCE, request_timeout=PATIENCE)
    content = {"code": code, "silent": False}
    header = {"msg_id": "1", "msg_type": "execute_request", "session": "1", "username": "", "version": "5.3"}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    with closing(await websocket_connect(request)) as socket:
        await socket.write_message(json.dumps(message))
        while answer := await asyncio.wait_for(socket.read_message(), PATIENCE):
            told = json.loads(answer)
            if told["header"]["msg_type"] in {"stream", "error"}:
                return told["content"].get("text", str(told))
    return ""


IN_A_NOTEBOOK = """
import os, subprocess
words = ("hpai", "run", "-N", "2", "sh", "-c", "hostname; echo $HPAI_TOOL_ROOT")
step = subprocess.run(words, capture_output=True, text=True)
print(os.environ["HPAI_TOOL_ROOT"], sorted(step.stdout.split()), step.returncode)
"""


@pytest.fixture(scope="module")
def portal(slurm: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    scheduler = yaml.safe_load(slurm.system_yaml)["scheduler"]
    prefix = tmp_path_factory.mktemp("prefix")
    asked = planned(scheduler, str(prefix))
    framework = tmp_path_factory.mktemp("framework")
    files.write(framework / "bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n', 0o755)
    installed = tuple(
        one.model_copy(update={"packages": PACKAGES}) for one in frameworks(asked, str(framework))
    )
    tree = job_tree(asked, installed) | launcher_tree(asked, installed) | check_tree()
    tree |= kernel_tree(asked, installed) | ondemand_tree(asked, installed) | module_tree(asked, installed)
    files.write_tree(tree, Path(asked.place))
    home = tmp_path_factory.mktemp("home")
    files.write(
        home / ".jupyter/jupyter_config.py", "c.ServerApp.allow_root = True  # who tests may be root\n"
    )
    yield Portal(slurm, Path(asked.place), framework, home)
    slurm.run(("scancel", "--user", "root"))


def test_jupyter_is_reached_through_the_portal_by_its_secret_alone_and_ends_with_its_job(portal: Portal):
    (portal.home / "my notebooks").mkdir()
    session = portal.start("jupyter", directory="my notebooks", job_nodes="2", job_cores="2")
    connection = session.connection()
    base = f"/node/{connection['host']}/{connection['port']}"
    assert ask(portal, connection, f"{base}/api/kernels").status == 403
    assert ask(portal, connection, "/api").status == 404

    view = session.app.view(connection)
    action = re.search(r'action="([^"]+)"', view)[1]
    fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', view))
    form = {"Content_Type": "application/x-www-form-urlencoded", "X_Forwarded_Proto": "https"}
    wrong = ask(portal, connection, action, "POST", "password=x&token=x", **form)
    assert wrong.status == 403
    entered = ask(portal, connection, action, "POST", urllib.parse.urlencode(fields), **form)
    assert (entered.status, dict(entered.headers)["Location"]) == (302, f"{base}/")
    login = next(text for name, text in entered.headers if name == "Set-Cookie" and text.startswith("user"))
    assert "SameSite=Lax" in login
    assert "Secure" in login

    known = "; ".join(f"{name}={text}" for name, text in entered.cookies.items())
    kernels = ask(portal, connection, f"{base}/api/kernelspecs", Cookie=known)
    assert '"tool' in kernels.text
    assert str(portal.release / "share/jupyter/kernels") in kernels.text
    forged = ask(portal, connection, f"{base}/api/kernels", "POST", "{}", Cookie=known)
    assert forged.status == 403
    assert ask(portal, connection, f"{base}/api/contents", Cookie=known).status == 200
    page = ask(portal, connection, f"{base}/any-page", Cookie=known)
    xsrf = page.cookies["_xsrf"]
    known += f"; _xsrf={xsrf}"
    wanted = json.dumps({"name": "hpai-tool-1.0"})
    kernel = ask(portal, connection, f"{base}/api/kernels", "POST", wanted, Cookie=known, X_XSRFToken=xsrf)
    path = f"{base}/api/kernels/{json.loads(kernel.text)['id']}/channels"
    try:
        said = asyncio.run(printed(portal, connection, path, known, IN_A_NOTEBOOK))
    except Exception as error:
        error.add_note(session.said)  # a kernel that does not start says why there alone
        raise
    root = str(portal.framework)
    assert said == f"{root} {[root, root, 'n1', 'n2']} 0\n"

    secret = connection["password"]
    arguments = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [text for text in arguments if secret.encode() in text]
    session.end()
    assert not list((session.directory / "runtime").glob("*.json"))
    assert not (portal.home / ".local").exists()


def test_tensorboard_answers_at_its_secret_address_alone_and_ends_with_its_job(portal: Portal):
    (portal.home / "runs").mkdir()
    session = portal.start("tensorboard", directory="~/runs")
    connection = session.connection()
    address = re.search(r'href="([^"]+)"', session.app.view(connection))[1]
    page = ask(portal, connection, address)
    assert (page.status, "<title>TensorBoard</title>" in page.text) == (200, True)
    assert ask(portal, connection, f"{address}data/environment").status == 200
    base = f"/node/{connection['host']}/{connection['port']}/"
    for other in ("/", "/data/environment", base, f"{base}data/environment", f"{base}x/data/environment"):
        assert ask(portal, connection, other).status == 404
    session.end()


def test_what_cannot_be_started_ends_the_job_and_says_why(portal: Portal):
    gone = portal.start("jupyter", directory="/nowhere 'at all'\n<%= 1 %>")
    assert portal.cluster.finished(gone.job).status == 1
    assert "there is no directory /nowhere 'at all'\n<%= 1 %> on n" in gone.said
    old = portal.start("tensorboard", framework="$(touch /tmp/never)")
    assert portal.cluster.finished(old.job).status == 1
    assert "there is no framework $(touch /tmp/never) in this app any more: open its form anew" in old.said
    assert not (old.directory / "connection.yml").exists()


def test_templates_of_the_job_composer_run_as_they_are(portal: Portal):
    """This framework has no check, so its program is written into the script, as the notes say."""
    template = portal.release / "share/ondemand/templates/hpai-tool-batch-nodes"
    (manifest,) = documents(template / "manifest.yml")
    text = (template / manifest["script"]).read_text()
    mine = portal.home / "mine.sh"
    mine.write_text(text.replace("\n\nif !", "\n\nset -- sh -c 'echo $RANK'\nif !", 1))
    job = portal.cluster.submit(mine, options=("--export=NONE",), directory=portal.home)
    finished = portal.cluster.finished(job)
    assert finished.status == 0, finished.output
    assert sorted(finished.output.splitlines()) == ["0", "1"]
