"""The package: what is in it, what it does when it is installed, and that its documents say what the program does."""
import os
import pathlib
import re
import shutil
import subprocess

import support


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


class Package(support.InFolder):
    @classmethod
    def setUpClass(cls):
        # cpack works in the build directory; its own folder and the package go elsewhere.
        cls.made = support.BUILD / "package"
        shutil.rmtree(cls.made, ignore_errors=True)
        run("cpack", "-G", "DEB", "-B", cls.made, cwd=support.BUILD)
        (cls.package,) = cls.made.glob("*.deb")

    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        run("dpkg-deb", "--raw-extract", self.package, self.root)

    def test_everything_is_where_debian_puts_it(self):
        for path in ["usr/bin/billd", "usr/lib/systemd/system/billd.service", "usr/lib/systemd/system/billd@.service",
                     "usr/lib/systemd/system/billd.socket", "usr/lib/systemd/system/billd-operators.socket",
                     "usr/lib/sysusers.d/billd.conf", "usr/lib/tmpfiles.d/billd.conf", "etc/billd/billd.toml",
                     "usr/share/man/man1/billd.1.gz", "usr/share/man/man5/billd.toml.5.gz",
                     "usr/share/bash-completion/completions/billd", "usr/share/zsh/vendor-completions/_billd",
                     "usr/share/doc/billd/billd.toml", "usr/share/doc/billd/copyright"]:
            self.assertTrue((self.root / path).is_file(), path)
        link = self.root / "usr/libexec/billd/redis-server"
        self.assertEqual("/usr/bin/redis-check-rdb", os.readlink(link))

    def test_it_names_what_it_needs(self):
        fields = run("dpkg-deb", "--field", self.package)
        for needed in ["redis-tools", "libhiredis", "libssl3", "libsystemd0", "systemd"]:
            self.assertIn(needed, fields)
        self.assertNotIn("redis-server", re.search(r"^Depends: .*$", fields, re.M)[0])
        self.assertIn("/etc/billd/billd.toml", (self.root / "DEBIAN/conffiles").read_text())

    def test_installing_starts_nothing_and_removing_keeps_the_data(self):
        scripts = {name: (self.root / "DEBIAN" / name).read_text() for name in ["postinst", "prerm", "postrm"]}
        for name, text in scripts.items():
            subprocess.run(["sh", "-n", "-c", text], check=True)
            self.assertTrue(os.access(self.root / "DEBIAN" / name, os.X_OK), name)
            self.assertNotIn("rm -r", text)
        self.assertNotRegex(scripts["postinst"], r"(?m)^[^#\n]*systemctl (start|enable|restart)")

    def test_manual_pages_are_without_mistakes(self):
        for page in ["man1/billd.1.gz", "man5/billd.toml.5.gz"]:
            shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
                                    str(self.root / "usr/share/man" / page)], capture_output=True, text=True,
                                   env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANWIDTH": "80",
                                        "MANROFFSEQ": ""})
            self.assertEqual("", shown.stderr)
            self.assertEqual(0, shown.returncode)

    def test_every_command_and_setting_is_in_the_manual(self):
        manual = run("zcat", self.root / "usr/share/man/man1/billd.1.gz").replace("\\-", "-")
        commands = re.findall(r"^  ([a-z-]+) {2,}", run(support.BILLD, "--help").split("Subcommands:")[1], re.M)
        self.assertIn("serve", commands)
        for command in commands:
            self.assertIn(f".SS billd {command}", manual)
        settings = run("zcat", self.root / "usr/share/man/man5/billd.toml.5.gz").replace("\\-", "-")
        keys = re.findall(r"^#([a-z_]+) = ", run(support.BILLD, "--sample-config"), re.M)
        self.assertGreater(len(keys), 30)
        for key in keys:
            self.assertIn(f".B {key} = ", settings)

    def complete(self, *words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _billd; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return run("bash", "-c", script, "bash", self.root / "usr/share/bash-completion/completions/billd",
                   *words).split()

    def test_bash_completes_commands_and_options(self):
        self.assertIn("serve", self.complete("billd", "se"))
        self.assertIn("create", self.complete("billd", "keys", ""))
        self.assertIn("--listen", self.complete("billd", "serve", "--li"))
        self.assertIn("--mode", self.complete("billd", "keys", "create", "--"))
        self.assertNotIn("--mode", self.complete("billd", "serve", "--"))
        (self.folder / "some.toml").write_text("")
        self.assertEqual([str(self.folder / "some.toml")],
                         self.complete("billd", "serve", "--config", str(self.folder / "so")))

    def test_zsh_completion_is_a_script(self):
        text = (self.root / "usr/share/zsh/vendor-completions/_billd").read_text()
        self.assertTrue(text.startswith("#compdef billd\n"))
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n", str(self.root / "usr/share/zsh/vendor-completions/_billd")], check=True)

    def test_the_installed_program_works(self):
        installed = self.root / "usr/bin/billd"
        self.assertRegex(run(installed, "--version"), r"^billd \d+\.\d+\.\d+$")
        self.assertEqual(run(installed, "--sample-config"), (self.root / "etc/billd/billd.toml").read_text())
        # With the name of its own for the server, and no redis-server in PATH.
        state = self.folder / "state"
        state.mkdir()
        listed = subprocess.run([str(installed), "keys", "list", "--state-dir", str(state)], capture_output=True,
                                text=True, env={"PATH": "/nonexistent"})
        self.assertEqual(0, listed.returncode, listed.stderr)


class BareDebian(support.InFolder):
    """For --long: the package in a Debian that has nothing else, with a /tmp of its own."""

    def test_it_installs_on_a_bare_debian_and_starts_nothing(self):
        if os.environ.get("BILLD_LONG") != "1":
            self.skipTest("./check --long does it: it fetches a Debian")
        root = self.folder / "debian"
        mirror = next((word for line in pathlib.Path("/etc/apt").rglob("*") if line.is_file()
                       for word in re.findall(r"https?://\S+/debian/?(?=\s)", line.read_text(errors="ignore"))),
                      "http://deb.debian.org/debian")
        run("debootstrap", "--variant=minbase", "bookworm", root, mirror)
        (package,) = (support.BUILD / "package").glob("*.deb")
        shutil.copy(package, root / "billd.deb")
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\necho started >> /started\nexit 101\n")
        os.chmod(root / "usr/sbin/policy-rc.d", 0o755)
        inside = ["chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"]
        run(*inside, "apt-get", "install", "--yes", "--no-install-recommends", "/billd.deb")
        self.assertFalse((root / "started").exists())
        self.assertIn("billd:", (root / "etc/passwd").read_text())
        self.assertIn("billd", run(*inside, "billd", "--version"))
        self.assertEqual("", run(*inside, "su", "-s", "/bin/sh", "billd", "-c",
                                 "mkdir /tmp/state && billd keys list --state-dir /tmp/state > /dev/null"))
        run(*inside, "apt-get", "purge", "--yes", "billd")
        self.assertFalse((root / "usr/bin/billd").exists())


if __name__ == "__main__":
    support.main()
