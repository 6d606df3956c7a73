"""The rules of the house that no compiler knows: which room may include which, who speaks SQL, who opens the door to a library."""
import re
import subprocess
import sys
from pathlib import Path

LINES_MAX = 500
DAEMONS = {"node-agent", "collector", "webd"}

# From below to above: a room of common/ or of a daemon includes its own level and those below it.
NOUNS = "quantity unit value series reading command".split()
TOOLS = "buffer clock log conf wire footprint service json".split()  # know no broker and no store
LEVELS = [NOUNS, TOOLS]

# An outside library has one door: the files that may include its header.
DOORS = {
    "mosquitto.h": r"common/bus\w*\.[ch]",
    "mqtt_protocol.h": r"common/bus\w*\.[ch]",
    "sqlite3.h": r"common/store\w*\.[ch]",
    "ini.h": r"common/conf\w*\.[ch]",
    "microhttpd.h": r"webd/http\w*\.[ch]",
    "zlib.h": r"webd/(http|static)\w*\.[ch]",
    "gnutls/gnutls.h": r"webd/(secret|http_tls)\.[ch]",
    "gnutls/crypto.h": r"webd/secret\.c",
    "crypt.h": r"(webd/hasher|node-agent/badge)\.c",
    "gpiod.h": r"node-agent/gpio\w*\.[ch]",
    "linux/gpio.h": r"node-agent/gpio\w*\.[ch]",
    "linux/i2c.h": r"node-agent/i2c\w*\.[ch]",
    "linux/i2c-dev.h": r"node-agent/i2c\w*\.[ch]",
    "linux/spi/spidev.h": r"node-agent/spi\w*\.[ch]",
    "termios.h": r"node-agent/tty\w*\.[ch]",
    # JSON and the event loop are how rooms talk to each other, so many know them: cjson/cJSON.h, systemd/sd-event.h.
}

# Rooms of a flow know the nouns and the borders, not each other; the daemon's joining room hands things on.
FLOWS = {
    "node-agent": {"sampler", "actuator", "outbox", "backfill", "safe", "rules"},
    "collector": {"ingest", "pace"},
    "webd": {"pages", "history", "live", "control", "api"},
}
# What a flow may know of another all the same, with the reason.
KNOWN = {
    ("actuator", "sampler"),  # whether a device is open at all
    ("backfill", "outbox"),  # the past goes where the present goes
    ("pages", "control"),  # what became of a form's command
}
JOIN = {"main", "agent", "hardware", "server", "server_feed", "routes", "collector", "announce"}

SQL = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|BEGIN|COMMIT)\s', re.I)
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)
complaints = []


def complain(path, line, text):
    complaints.append(f"{path}:{line}: {text}")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def room(name):
    """The room of a file: store_read belongs to store, bus_events to bus."""
    return name.split("_")[0]


def check_own(path, line, target):
    """An include of a header of ours, from path."""
    here, there = path.parts[0], target.parts[0]

    if there in DAEMONS and here != there:
        complain(path, line, f"{here} includes {target}: a daemon's header is its own")
    if here == "common" and there == "common":
        for names in LEVELS:
            if room(path.stem) in names:
                allowed = {name for level in LEVELS[: LEVELS.index(names) + 1] for name in level}
                if room(target.stem) not in allowed:
                    complain(path, line, f"{path.stem} is below {target.stem} and may not know it")
                break
    flows = FLOWS.get(here, set())
    a, b = room(path.stem), room(target.stem)
    if here == there and a in flows and b in flows and a != b and (a, b) not in KNOWN and path.stem not in JOIN:
        complain(path, line, f"the flow {a} knows the flow {b}: let the room that joins them hand it on")


def check_file(root, path):
    text = (root / path).read_text()

    for match in INCLUDE.finditer(text):
        line = line_of(text, match.start())
        own, outside = match.groups()
        if own:
            target = (root / path.parent / own).resolve()
            if not target.exists():
                complain(path, line, f'"{own}" is not there')
                continue
            check_own(path, line, target.relative_to(root))
        elif outside in DOORS and not re.fullmatch(DOORS[outside], str(path)):
            complain(path, line, f"<{outside}> is for {DOORS[outside]} alone")
    if not re.fullmatch(r"common/store\w*\.[ch]", str(path)):
        for match in SQL.finditer(text):
            complain(path, line_of(text, match.start()), "SQL stands in common/store*.c alone")
    lines = text.count("\n")
    if lines > LINES_MAX:
        complain(path, lines, f"{lines} lines: is there a second room in it? (at most {LINES_MAX})")


def check_drivers(root):
    """A driver is in the list, has a section to copy, and a test."""
    listed = set(re.findall(r"&(\w+_driver)\b", (root / "node-agent/driver.c").read_text()))
    example = (root / "config/node-agent.conf").read_text()
    links = " ".join(path.read_text().split("\n", 1)[0] for path in (root / "tests/unit").glob("test_*.c"))

    for path in sorted((root / "node-agent/drivers").glob("*.c")):
        text = path.read_text()
        for match in re.finditer(r'^const struct driver (\w+) = \{\s*\.name = "(\w+)"', text, re.M):
            line, (symbol, name) = line_of(text, match.start()), match.groups()
            if symbol not in listed:
                complain(path.relative_to(root), line, f"{symbol} is not in the list of node-agent/driver.c")
            if not re.search(rf"^#?driver = {name}\b|^#.*\b{name}\b", example, re.M):
                complain(path.relative_to(root), line, f"config/node-agent.conf has no section with driver = {name}")
            if str(path.relative_to(root)) not in links:
                complain(path.relative_to(root), line, "no test in tests/unit names it in its first line")


def main():
    root = Path(__file__).resolve().parents[2]
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"], cwd=root, check=True,
                            capture_output=True, text=True).stdout.split()
    paths = [Path(name) for name in listed if (root / name).exists()]

    for path in paths:
        if path.parts[0] in DAEMONS | {"common"}:
            check_file(root, path)
    check_drivers(root)
    print("\n".join(complaints))
    sys.exit(bool(complaints))


main()
