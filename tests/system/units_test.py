"""The units are ones that systemd accepts, and shut the daemon in."""
import subprocess
import unittest

import support

UNITS = ["billd.service", "billd@.service", "billd.socket", "billd-operators.socket"]


class Units(support.InFolder):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        subprocess.run(["cmake", "--install", support.BUILD, "--prefix", "/usr"], check=True, capture_output=True,
                       env={"DESTDIR": str(self.root), "PATH": "/usr/bin:/bin"})
        self.units = self.root / "usr/lib/systemd/system"

    def test_systemd_finds_nothing_wrong(self):
        copies = self.folder / "units"
        copies.mkdir()
        for name in UNITS:
            # A template is verified as one of its instances; the program is where it was installed to.
            text = (self.units / name).read_text().replace("/usr/bin/billd", str(self.root / "usr/bin/billd"))
            (copies / name.replace("@.", "@one.")).write_text(text)
        verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(copies.iterdir())],
                                  capture_output=True, text=True)
        ours = [line for line in verified.stderr.splitlines() if "billd" in line]
        self.assertEqual([], ours)
        self.assertEqual(0, verified.returncode, verified.stderr)

    def test_exposure_is_below_the_threshold(self):
        for name in ["billd.service", "billd@.service"]:
            judged = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15",
                                     str(self.units / name)], capture_output=True, text=True)
            self.assertEqual(0, judged.returncode, judged.stdout[-600:])

    def test_an_open_unit_would_be_told(self):
        open_unit = self.folder / "open.service"
        open_unit.write_text("[Service]\nExecStart=/bin/true\n")
        judged = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", str(open_unit)],
                                capture_output=True, text=True)
        self.assertNotEqual(0, judged.returncode)

    def test_sysusers_and_tmpfiles_are_understood(self):
        for name in ["passwd", "group"]:
            (self.root / "etc" / name).write_text("root:x:0:0::/root:/bin/sh\n" if name == "passwd" else "root:x:0:\n")
        subprocess.run(["systemd-sysusers", f"--root={self.root}", "billd.conf"], check=True, capture_output=True)
        self.assertIn("billd:", (self.root / "etc/passwd").read_text())
        made = subprocess.run(["systemd-tmpfiles", f"--root={self.root}", "--create", "billd.conf"],
                              capture_output=True, text=True)
        self.assertEqual(0, made.returncode, made.stderr)
        self.assertEqual(0o750, (self.root / "etc/billd").stat().st_mode & 0o777)
        self.assertEqual(0o640, (self.root / "etc/billd/billd.toml").stat().st_mode & 0o777)


if __name__ == "__main__":
    support.main()
