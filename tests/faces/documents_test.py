"""The transcripts of the documentation, run as they stand: each line behind "$ " is a command, what follows is its
output, in which "…" stands for anything."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import service

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def transcripts(path):
    """Commands with their expected output, in their order."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return [(command, "\n".join(output)) for command, output in steps]


class Documents(unittest.TestCase):
    def run_transcripts(self, name):
        steps = transcripts(ROOT / name)
        self.assertGreater(len(steps), 3, f"{name} has transcripts")
        marker = "--8<--"
        script = "\n".join(f"{command}\nprintf '\\n{marker}\\n'" for command, _ in steps)
        script = script.replace("localhost:4242", service.service.api)
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["bash", "-e"], input=script, capture_output=True, text=True, cwd=folder, timeout=120)
        outputs = done.stdout.split(marker)
        self.assertEqual(len(outputs), len(steps) + 1, done.stderr)
        for (command, expected), output in zip(steps, outputs):
            pattern = ".*".join(re.escape(part) for part in expected.split("…"))
            self.assertRegex(output.strip(), re.compile(f"^{pattern}$", re.DOTALL), command)

    def test_stancer(self):
        self.run_transcripts("net/api/stancer/README.md")

    def test_management(self):
        self.run_transcripts("net/api/management/README.md")

    def test_funding_sources(self):
        self.run_transcripts("net/api/funding_sources/README.md")

    def test_the_table_of_failure_codes_is_the_programs(self):
        source = (ROOT / "net/api/management/codes.cpp").read_text()
        entries = re.findall(r'CodeEntry\{Code::\w+, "(\w+)", (\d+), "([^"]+)"\}', source)
        document = (ROOT / "net/api/management/README.md").read_text()
        table = re.findall(r"^\| (\w\d) \| (\d+) \| (.*) \|$", document, re.MULTILINE)
        self.assertEqual(table, entries)
        self.assertGreater(len(entries), 20)
