"""Runs every command of docs/operations/runbooks against a scratch server.

    runbooks.py BINARY                 all pages
    runbooks.py BINARY deploy restore  these, with what they need before
    runbooks.py BINARY --control       all pages, and then each of some planted mistakes must be found

A block of ```sh is run line by line in one shell a page. A line `# expect: TEXT` after a command says what its output must
hold; `# expect exit: N` how it ends. A block of ```sh no-run gives its reason on the first line, behind `# not run:`.
`<!-- after: PAGE -->` at the top of a page names the page that leads to where it begins.

Paths, ports and the database's address are replaced by those of a scratch world; systemctl, journalctl, sudo, useradd and
chown are stand-ins. The database is real (HEARTH_TEST_POSTGRES_URL).
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

PAGES = Path("docs/operations/runbooks")
STAND_INS = Path(__file__).resolve().parent / "stand-ins"
PATIENCE_SECONDS = 60
# Paths of the machine itself that a command may name; every other path must lie in the scratch world.
HARMLESS = {"/dev/null", "/usr/sbin/nologin"}
PATH = re.compile(r"(?<![\w.$/*{}-])/[\w./*-]+")
BLOCK = re.compile(r"^```sh( no-run)?\n(.*?)^```$", re.M | re.S)


class Mistake(Exception):
    """What a page says is not so."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Page:
    def __init__(self, name, text):
        self.name, self.text = name, text
        after = re.match(r"<!-- after: (\w+) -->", text)
        self.after = after and after.group(1)

    def steps(self):
        """Commands with the line they stand on, what they must say and how they must end."""
        for block in BLOCK.finditer(self.text):
            line = self.text.count("\n", 0, block.start()) + 2
            where = f"{self.name}.md:{line}"
            if block.group(1):
                if not block.group(2).startswith("# not run: "):
                    raise Mistake(f"{where}: a block that is not run gives no reason")
                continue
            if "# expect" not in block.group(2) or re.search(r"^# expect: *$", block.group(2), re.M):
                raise Mistake(f"{where}: no answer is expected of this block, or an empty one")
            yield from self.steps_of(block.group(2), line)
        if not BLOCK.search(self.text):
            raise Mistake(f"{self.name}.md: holds no command")

    def steps_of(self, text, line):
        commands, first, wanted, ends = [], line, [], 0
        for number, words in enumerate(text.splitlines(), line):
            is_claim = words.startswith("# expect")
            if commands and (wanted or ends) and not is_claim:
                yield f"{self.name}.md:{first}", "\n".join(commands), wanted, ends
                commands, first, wanted, ends = [], number, [], 0
            if not is_claim:
                commands.append(words)
            elif words.startswith("# expect exit: "):
                ends = int(words.removeprefix("# expect exit: "))
            else:
                wanted.append(words.removeprefix("# expect: "))
        yield f"{self.name}.md:{first}", "\n".join(commands), wanted, ends


class World:
    """A scratch machine: a root for the installed files, a port for the server, one for the database."""

    def __init__(self, home, binary):
        self.root, self.binary, self.kept = home / "world", binary, home / "kept"
        self.port, self.database_port = free_port(), free_port()
        database = urlsplit(os.environ["HEARTH_TEST_POSTGRES_URL"])
        self.server = f"{database.hostname}:{database.port}"
        self.credentials, self.database = database.netloc.rsplit("@", 1)[0], f"runbooks_{os.getpid()}"
        self.admin_url = database.geturl()
        tools = home / "bin"
        tools.mkdir()
        for name in ("hearth", "systemctl", "journalctl", "sudo"):
            (tools / name).symlink_to(STAND_INS / name)
        for name in ("useradd", "chown"):
            (tools / name).symlink_to(STAND_INS / "nothing")
        path = [str(tools), os.environ["HEARTH_TEST_POSTGRES_BIN"], os.environ["PATH"]]
        self.environment = {
            "PATH": ":".join(path), "HOME": str(home), "WORLD": str(self.root), "STAND_INS": str(STAND_INS),
            "DATABASE_PORT": str(self.database_port), "DATABASE_AT": self.server, "LANG": "C.UTF-8", "NO_PROXY": "*",
        }

    def make(self):
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in ("usr/bin", "etc/systemd/system", "var/lib", "srv/new"):
            (self.root / folder).mkdir(parents=True)
        # What somebody brings along: the binary and the files of deploy/.
        link_or_copy(self.binary, self.root / "srv/new/hearth")
        (self.root / "srv/new/deploy").symlink_to(Path("deploy").resolve())

    def keep(self):
        """Remembers the stopped world, to go back to."""
        self.run("systemctl stop hearth")
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.root, self.kept, symlinks=True, copy_function=link_or_copy)

    def go_back(self):
        self.run("systemctl stop hearth")
        shutil.rmtree(self.root)
        shutil.copytree(self.kept, self.root, symlinks=True, copy_function=link_or_copy)
        self.run("systemctl start hearth")

    def here(self, text):
        """A page's text with the scratch world's paths and ports."""
        text = re.sub(r"(?<![\w/$])/(usr/bin/hearth|etc/hearth|var/lib/hearth|var/backups|srv/new|etc/systemd)", rf"{self.root}/\1", text)
        text = re.sub(r"postgres://hearth[^@\s]*@db\.example\.com/hearth", f"postgres://{self.credentials}@127.0.0.1:{self.database_port}/{self.database}", text)
        return re.sub(r"\b8080\b", str(self.port), text).replace("https://hearth.example.com", f"http://127.0.0.1:{self.port}")

    def run(self, script):
        done = subprocess.run(["bash", "-c", script], env=self.environment, cwd=self.root, timeout=PATIENCE_SECONDS, capture_output=True, text=True)
        if done.returncode:
            raise Mistake(f"{script}: {done.stdout}{done.stderr}")

    def psql(self, statement):
        tool = str(Path(os.environ["HEARTH_TEST_POSTGRES_BIN"]) / "psql")
        subprocess.run([tool, "-XAtq", self.admin_url, "-c", statement], check=True, timeout=PATIENCE_SECONDS)

    def open(self):
        disk = shutil.disk_usage(self.root.parent)
        if disk.free < max(disk.total * 0.05, 1_000_000_000):
            raise Mistake(f"{disk.free // 10**6} MB free on the disk of {self.root.parent}: under production's rules a server wants 5 %; set TMPDIR")
        self.make()
        self.psql(f"CREATE DATABASE {self.database}")
        self.run("systemctl start postgresql")

    def close(self):
        if not self.root.exists():
            return
        self.run("systemctl stop hearth postgresql")
        self.psql(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")


def link_or_copy(source, target):
    """A copy; of the binary, which nothing writes into, one more name where the disk allows it."""
    if os.stat(source).st_size > 50_000_000:
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)


def execute(world, page):
    """Runs a page's commands in one shell; each step's output is looked at before the next begins."""
    shell = subprocess.Popen(
        ["bash", "--norc", "-o", "pipefail"], env=world.environment, cwd=world.root / "srv/new", stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )
    count = 0
    try:
        for where, commands, wanted, ends in page.steps():
            here = world.here(commands)
            stay_inside(where, here, world)
            said, code = ask(shell, here, where)
            check(where, commands, said, code, [world.here(text) for text in wanted], ends)
            count += len(wanted) + 1
    finally:
        # The shell alone: what it started as a service lives on in a session of its own making.
        shell.kill()
        shell.wait()
    world.run("hearth health --ready")
    return count


def stay_inside(where, commands, world):
    """Nothing is run that names a place outside the scratch world: this may be somebody's own machine, and root."""
    without_urls = re.sub(r"\w+://\S+", "", commands)
    paths = [path for path in PATH.findall(without_urls) if not path.startswith(str(world.root))]
    foreign = [path for path in paths if path not in HARMLESS]
    if foreign or re.search(r"\b(apt-get|ssh|scp|rsync|reboot|kill)\b", commands):
        raise Mistake(f"{where}: reaches out of the scratch world: {foreign or commands}")


def ask(shell, commands, where):
    """Output and exit code of a step. `eval` keeps its variables; a failing line ends it."""
    mark = f"-- end of {where}"
    # A here-document leaves quotes as they are; output goes to a file, so that services may hold it open.
    shell.stdin.write(
        f"said=$(mktemp); cat >\"$said.sh\" <<'STEP-END'\n{commands}\nSTEP-END\n"
        # The first line that fails ends the step.
        f"trap 'code=$?; [ -z \"${{BASH_SOURCE[0]:-}}\" ] || return $code' ERR; . \"$said.sh\" >\"$said\" 2>&1; code=$?; trap - ERR\n"
        f"cat \"$said\"; echo; echo \"{mark} $code\"; rm -f \"$said\" \"$said.sh\"\n"
    )
    shell.stdin.flush()
    said = []
    previous = signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(Mistake(f"{where}: no end after {PATIENCE_SECONDS} s")))
    signal.alarm(PATIENCE_SECONDS)
    try:
        for line in shell.stdout:
            if line.startswith(mark):
                return "".join(said), int(line.rsplit(" ", 1)[1])
            said.append(line)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    raise Mistake(f"{where}: the shell ended\n{''.join(said)}")


def check(where, commands, said, code, wanted, ends):
    problem = None
    if code != ends:
        problem = f"ends with {code}, not {ends}"
    for text in wanted:
        if text not in said:
            problem = f"does not say `{text}`"
    if problem:
        raise Mistake(f"{where}: {problem}\n{commands}\n--- said:\n{said.strip()}")


def read_pages():
    return {path.stem: Page(path.stem, path.read_text()) for path in sorted(PAGES.glob("*.md"))}


def ordered(pages, chosen):
    """Names in the order to run: every page after the one it needs, those without followers first."""
    needed = set()
    for name in chosen:
        while name:
            needed.add(name)
            name = pages[name].after
    followed = {page.after for page in pages.values()}

    def walk(parent):
        for name in sorted((n for n in needed if pages[n].after == parent), key=lambda n: (n in followed, n)):
            yield name
            yield from walk(name)

    return list(walk(None))


def run_pages(world, pages, names):
    for name in names:
        page, started = pages[name], time.monotonic()
        if page.after == "deploy":
            world.go_back()
        count = execute(world, page)
        if page.after is None:
            world.keep()
        print(f"{name:18} {count:3} answers  {time.monotonic() - started:5.1f} s", flush=True)


# Wrong lines that a page might come to hold; each must be found where it stands.
PLANTED = (
    "ls /root\n# expect: root",
    "hearth transfer --from sqlite:/opt/hearth.db --to sqlite:other.db\n# expect: rows",
    "hearth backup creat\n# expect: Backup successful",
    "hearth health --ready\n# expect: unready",
    "false\necho done\n# expect: done",
    "hearth health --ready",
)


def control(world):
    for number, text in enumerate(PLANTED):
        page = Page(f"planted-{number}", f"```sh\n{text}\n```\n")
        try:
            execute(world, page)
        except Mistake:
            continue
        raise Mistake(f"nobody noticed: {text}")
    print(f"{len(PLANTED)} planted mistakes, all found")


def main():
    binary, *names = sys.argv[1:]
    is_control = "--control" in names
    pages = read_pages()
    chosen = [name for name in names if name != "--control"] or list(pages)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = Path(tempfile.mkdtemp(prefix="hearth-runbooks."))
    world = World(home, Path(binary).resolve())
    try:
        world.open()
        run_pages(world, pages, ordered(pages, chosen))
        if is_control:
            control(world)
    except Mistake as mistake:
        journal = world.root / "journal"
        print(mistake, *(journal.read_text().splitlines()[-10:] if journal.exists() else []), sep="\n")
        return 1
    finally:
        world.close()
        shutil.rmtree(home, ignore_errors=True)
    print(f"NOTE: {len(chosen)} runbooks, every command run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
