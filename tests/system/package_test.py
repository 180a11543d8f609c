"""The package: what is in it, what it does when it is installed, and that its documents say what the program does."""
import functools
import os
import pathlib
import re
import shutil
import subprocess

import support


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


@functools.cache
def made_package():
    # cpack works in the build directory; its own folder and the package go elsewhere.
    made = support.BUILD / "package"
    shutil.rmtree(made, ignore_errors=True)
    run("cpack", "-G", "DEB", "-B", made, cwd=support.BUILD)
    (package,) = made.glob("*.deb")
    return package


class Package(support.InFolder):
    def setUp(self):
        super().setUp()
        self.package = made_package()
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

    def leaves(self, *words):
        """Every command that can be run, as the words that name it."""
        shown = run(support.BILLD, *words, "--help")
        self.assertRegex(shown, r"\A[ -~\n]*\Z", f"{words} shows more than plain text")
        below = re.findall(r"^  ([a-z-]+) {2,}\S", shown.partition("\nSubcommands:")[2], re.M)
        if not below:
            return [words]
        return [leaf for name in below for leaf in self.leaves(*words, name)]

    def test_every_command_has_its_help_its_manual_and_its_completion(self):
        manual = run("zcat", self.root / "usr/share/man/man1/billd.1.gz").replace("\\-", "-")
        zsh = (self.root / "usr/share/zsh/vendor-completions/_billd").read_text()
        leaves = self.leaves()
        self.assertGreater(len(leaves), 25)
        for words in leaves:
            name = " ".join(words)
            shown = run(support.BILLD, *words, "--help")
            self.assertRegex(shown.splitlines()[0], r"^[A-Z].{8,}", name)
            options = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", shown, re.M)) - {"--help"}
            for line in re.findall(r"^  (?:-\w,)?--\S+(?: \S+)*? {2,}(.*)$", shown, re.M):
                self.assertTrue(line.strip(), f"an option of {name} is not explained")
            section = manual.partition(f".SS billd {name}\n")[2].partition("\n.S")[0]
            self.assertTrue(section, f"{name} has no section in the manual")
            completed = set(self.complete("billd", *words, "--")) - {"--help"}
            of_zsh = zsh.partition(f"'{name}')\n")[2].partition(";;")[0]
            for option in options:
                self.assertRegex(section, rf"\.B (-\w, )?{option}\b", name)
                self.assertIn(f"'{option}[", of_zsh, name)
            self.assertEqual(options, completed, name)

    def test_documents_name_only_commands_that_there_are(self):
        known = {words[:length] for words in self.leaves() for length in (1, 2)}
        texts = [path.read_text() for path in [support.PROJECT / "README.md", support.PROJECT / "ARCHITECTURE.md",
                                               *(support.PROJECT / "net").rglob("*.md")]]
        texts += [(support.PROJECT / "config/monitoring/alerts.yml").read_text(), run(support.BILLD, "--sample-config")]
        named = [tuple(match.split()[1:3]) for text in texts
                 for match in re.findall(r"(?:`|^    |action: \")(billd [a-z]+(?:-[a-z]+)*(?: [a-z]+)?)", text, re.M)]
        self.assertGreater(len(named), 15)
        for words in named:
            self.assertTrue(words[:2] in known or words[:1] in known, f"there is no billd {' '.join(words)}")

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
        shutil.copy(made_package(), root / "billd.deb")
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\necho started >> /started\nexit 101\n")
        os.chmod(root / "usr/sbin/policy-rc.d", 0o755)
        inside = ["chroot", root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"]
        # Without /proc, as where images are made; what runs has one, which goes with it.
        run(*inside, "apt-get", "install", "--yes", "--no-install-recommends", "/billd.deb")
        inside = ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={root}/proc", *inside]
        self.assertFalse((root / "started").exists())
        self.assertFalse(any((root / "etc/systemd/system").rglob("*billd*")), "no unit is enabled")
        self.assertIn("billd:", (root / "etc/passwd").read_text())
        self.assertEqual(0o750, (root / "etc/billd").stat().st_mode & 0o777)
        self.assertEqual(0o640, (root / "etc/billd/billd.toml").stat().st_mode & 0o777)
        self.assertIn("billd", run(*inside, "billd", "--version"))
        self.as_billd(inside, "mkdir -m 700 /tmp/state && billd keys list --state-dir /tmp/state")
        self.as_billd(inside, "billd check-config --config /etc/billd/billd.toml --state-dir /tmp/state")
        self.it_serves(inside)
        self.assertFalse((root / "started").exists())
        (root / "var/lib/billd").mkdir(exist_ok=True)
        self.assertIn("stays in /var/lib/billd", run(*inside, "apt-get", "purge", "--yes", "billd"))
        self.assertFalse((root / "usr/bin/billd").exists())
        self.assertFalse((root / "etc/billd").exists())
        self.assertTrue((root / "var/lib/billd").exists())

    def as_billd(self, inside, command):
        done = subprocess.run([*map(str, inside), "su", "-s", "/bin/sh", "billd", "-c", command], capture_output=True,
                              text=True)
        self.assertEqual(0, done.returncode, f"{command}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def it_serves(self, inside):
        """A daemon of its own Redis, a customer, and an end in order."""
        # Port 0: whoever else listens on this machine is not met.
        script = ("billd serve --dev --state-dir /tmp/state --listen 127.0.0.1:0 --operators 127.0.0.1:0 "
                  "> /tmp/state/output 2>&1 & daemon=$!; "
                  "for i in $(seq 200); do grep -q 'Try ' /tmp/state/output && break; sleep 0.1; done; "
                  "cat /tmp/state/output; kill $daemon; wait $daemon; echo ended with $?")
        said = self.as_billd(inside, script)
        self.assertRegex(said, r"API +http://127\.0\.0\.1:\d+")
        self.assertIn("ended with 0", said)


if __name__ == "__main__":
    support.main()
