"""Open OnDemand as an app's files see it: forms, ERB and YAML by real Ruby, and the job that it submits."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RUBY = Path(__file__).with_name("portal.rb")

_JOB = """\
cd {directory}
export host port
create_yml() {{
    (umask 077; printf '%s: %s\\n' host "$host" port "$port" password "$password" >{directory}/connection.yml)
}}
clean_up() {{
    if [ "$SCRIPT_PID" ]; then pkill -P "$SCRIPT_PID"; fi
    pkill -P $$
    exit "${{1:-0}}"
}}
port_used() {{ (: <"/dev/tcp/${{1%:*}}/${{1#*:}}") 2>/dev/null; }}
find_port() {{
    local port
    for port in $(shuf -i 20000-60000); do
        port_used "${{1:-localhost}}:$port" || {{ echo "$port"; return 0; }}
    done
    return 1
}}
create_passwd() (tr -cd a-zA-Z0-9 </dev/urandom 2>/dev/null | head -c "$1")
export -f port_used find_port create_passwd
host=$(hostname)
[ -e {directory}/before.sh ] && source {directory}/before.sh
{directory}/script.sh &
SCRIPT_PID=$!
[ -e {directory}/after.sh ] && source {directory}/after.sh
create_yml
wait "$SCRIPT_PID" || clean_up 1
clean_up
"""
"""What its `basic` template does around an app's own scripts, in this order."""


def why_not() -> str:
    """Why this machine cannot be a portal, or nothing."""
    return "" if shutil.which("ruby") else "no ruby here (Debian: ruby)"


class PortalError(Exception):
    """What Ruby says of a file."""


def asked(*requests: Mapping[str, Any]) -> list[Any]:
    """What Ruby makes of files; PortalError with its words."""
    done = subprocess.run(
        ("ruby", str(_RUBY)), input=json.dumps(requests), capture_output=True, text=True, check=True
    )
    answers = json.loads(done.stdout)
    if errors := [answer["error"] for answer in answers if "error" in answer]:
        raise PortalError("\n".join(errors))
    return [answer["value"] for answer in answers]


def documents(*paths: Path) -> list[Any]:
    """YAML files as Ruby reads them."""
    return asked(*({"path": str(path), "yaml": True} for path in paths))


@dataclass(frozen=True)
class App:
    """The directory of an interactive app."""

    directory: Path

    @property
    def form(self) -> dict[str, Any]:
        return documents(self.directory / "form.yml")[0]

    def choices(self, **chosen: str) -> dict[str, str]:
        """What a form gives that is sent as it is, but for what the user has chosen."""
        attributes = self.form["attributes"]
        given = {
            name: str(value.get("value") or "") if isinstance(value, dict) else str(value)
            for name, value in attributes.items()
        }
        assert not chosen.keys() - given.keys()
        return {**given, **chosen}

    def submission(self, **chosen: str) -> dict[str, Any]:
        """What is told to the scheduler."""
        return self.submissions(chosen)[0]

    def submissions(self, *chosen: Mapping[str, str]) -> list[dict[str, Any]]:
        """The same for many forms."""
        path, usual = str(self.directory / "submit.yml.erb"), self.choices()
        requests = (
            {"path": path, "kind": "struct", "values": {**usual, **one}, "yaml": True} for one in chosen
        )
        return asked(*requests)

    def view(self, connection: Mapping[str, str]) -> str:
        """What users see once the server is there."""
        path = self.directory / "view.html.erb"
        return asked({"path": str(path), "kind": "struct", "values": dict(connection)})[0]

    def stage(self, into: Path, **chosen: str) -> Path:
        """Make a session's directory; its job script."""
        values = self.choices(**chosen)
        template = self.directory / "template"
        shutil.copytree(template, into, ignore=shutil.ignore_patterns("*.erb"))
        into.chmod(0o700)
        rendered = sorted(template.rglob("*.erb"))
        texts = asked(*({"path": str(path), "kind": "session", "values": values} for path in rendered))
        for path, text in zip(rendered, texts, strict=True):
            (into / path.name.removesuffix(".erb")).write_text(text)
        job = into / "job.sh"
        job.write_text("#!/bin/bash\n" + _JOB.format(directory=into))
        return job
