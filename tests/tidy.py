#!/usr/bin/env python3
"""Checks what a compiler does not: what engine/ may use, how co_await is written, names, layers, dead files.

Each rule tells what to write instead, and carries samples of what it finds and what it lets pass; `--self-test` checks
the rules against them. A place that breaks a rule for a reason is listed in that rule's `allowed`, with the reason.
"""
import argparse
import dataclasses
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
IGNORED_FOLDERS = {".git", "build", "node_modules", "__pycache__", ".cache"}
CPP = (".cpp", ".hpp")
LINE_LENGTH_MAX = 120


@dataclasses.dataclass
class File:
    """A file of the project: its path from the root, and its text once as it is, once without comments and literals."""
    path: str
    text: str
    code: str = ""

    def __post_init__(self):
        self.code = without_comments_and_literals(self.text) if self.path.endswith(CPP) else self.text

    @property
    def folder(self):
        return self.path.split("/")[0] if "/" in self.path else ""


def without_comments_and_literals(text):
    """Blanks comments and the insides of literals; every character that stays keeps its place."""
    pattern = re.compile(r"""//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*\""""
                         r"""|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'""", re.DOTALL)

    def blank(match):
        # The names of included files are wanted: they say which folder depends on which.
        before = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if match[0].startswith('"') and re.match(r"\s*#\s*include\s*$", before):
            return match[0]
        inner = re.sub(r"[^\n]", " ", match[0])
        return '"' + inner[1:-1] + '"' if match[0][0] in "\"'" else inner

    return pattern.sub(blank, text)


@dataclasses.dataclass
class Rule:
    """Something that must not be found in a file; `find` yields the places as (offset, what to add to the message)."""
    name: str
    message: str
    bad: list       # (path, text) that the rule must find
    good: list      # (path, text) in which no rule may find anything
    paths: str = r".*"
    pattern: str = ""
    search_text: bool = False   # search comments and literals, too
    allowed: dict = dataclasses.field(default_factory=dict)

    def find(self, file):
        for match in re.finditer(self.pattern, file.text if self.search_text else file.code, re.MULTILINE):
            yield match.start(), ""

    def problems(self, file):
        if not re.fullmatch(self.paths, file.path) or file.path in self.allowed:
            return
        for offset, more in self.find(file):
            line = file.text.count("\n", 0, offset) + 1
            yield f"{file.path}:{line}: {self.name}: {self.message}{more}"


ENGINE = r"engine/.*\.[ch]pp"
CODE = r".*\.[ch]pp"


def engine(text):
    return ("engine/sample.hpp", "// A sample.\n#pragma once\n" + text)


def source(text, path="net/sample.cpp"):
    return (path, "// A sample.\n" + text)


def header(text, path="net/sample.hpp"):
    return (path, "// A sample.\n#pragma once\n" + text)


class LineRule(Rule):
    """Finds long lines and tabs, which are a matter of the text as it stands."""

    def find(self, file):
        offset = 0
        for line in file.text.split("\n"):
            if len(line) > LINE_LENGTH_MAX:
                yield offset, ""
            offset += len(line) + 1


class OpeningRule(Rule):
    """A file opens with a sentence on its purpose; a source whose header has that sentence opens by including it."""

    def find(self, file):
        lines = [line.strip() for line in file.text.split("\n") if line.strip()]
        if lines and lines[0].startswith("#!"):
            lines = lines[1:]
        opening = lines[0] if lines else ""
        if file.path.endswith(CPP):
            own_header = file.path.removesuffix(".cpp") + ".hpp"
            opens = opening.startswith("// ") or opening == f'#include "{own_header}"'
        else:
            opens = opening.startswith(("# ", '"""'))
        if lines and not opens:
            yield 0, ""


class PragmaRule(Rule):
    def find(self, file):
        if "#pragma once" not in file.code:
            yield 0, ""


class FolderRule(Rule):
    """Which folder's headers the files of a folder may include."""
    may_include = {
        "engine": {"engine"},
        "config": {"engine", "config"},
        "net": {"engine", "config", "net"},
        "jobs": {"engine", "config", "net", "jobs"},
    }

    def find(self, file):
        for match in re.finditer(r'^\s*#\s*include\s*"([^"]*)"', file.code, re.MULTILINE):
            included = match[1].split("/")[0] if "/" in match[1] else "(this folder, not named from the project's root)"
            if file.folder in self.may_include and included not in self.may_include[file.folder]:
                yield match.start(), f" ({file.folder} includes {match[1]})"


class AbbreviationRule(Rule):
    """Finds abbreviated words in names that are ours: those behind . -> :: belong to what they are members of."""
    words = {
        "acct": "account", "addr": "address", "amt": "amount", "attr": "attribute", "buf": "buffer", "cb": "callback",
        "cfg": "configuration", "cmd": "command", "cnt": "count", "conf": "configuration", "conn": "connection",
        "ctx": "context", "curr": "current", "dst": "destination", "elem": "element", "err": "error", "evt": "event",
        "idx": "index", "impl": "a name for what it does", "init": "start or make", "inv": "invoice", "len": "length",
        "mgr": "a name for what it does", "msg": "message", "mtx": "mutex", "num": "number or count", "obj": "object",
        "opt": "option", "params": "parameters", "pmt": "payment", "pos": "position", "prev": "previous",
        "ptr": "pointer", "qty": "quantity", "recv": "receive", "ref": "reference", "req": "request",
        "res": "result or response", "resp": "response", "ret": "result", "sched": "schedule", "sess": "session",
        "srv": "server", "stmt": "statement", "str": "text", "subs": "subscriptions", "svc": "service", "tbl": "table",
        "tmp": "temporary", "tok": "token", "ts": "timestamp", "txn": "transaction", "util": "a name for what it does",
        "utils": "a name for what it does", "val": "value", "vec": "a plural",
    }

    # Names that others chose and that our code must spell: C's, the standard library's, those of Beast's parsers.
    foreign = re.compile(r"in6?_addr|(shared|unique|weak|exception|intrusive)_ptr|make_exception_ptr|ref|recv|str"
                         r"|on_\w+_impl")

    def find(self, file):
        for match in re.finditer(r"(?<![\w.>:])[a-z][a-z0-9_]*\b", file.code):
            line_start = file.code.rfind("\n", 0, match.start()) + 1
            if re.match(r"\s*#\s*include", file.code[line_start:match.start()]) or self.foreign.fullmatch(match[0]):
                continue
            for part in match[0].split("_"):
                if part in self.words:
                    yield match.start(), f": `{part}` in `{match[0]}`; {self.words[part]}"


class MentionRule(Rule):
    """A document that a file speaks of must be there."""

    def find(self, file):
        for match in re.finditer(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.md)\b", file.text):
            folder = (ROOT / file.path).parent
            if not (ROOT / match[1]).exists() and not (folder / match[1]).exists():
                yield match.start(), f" ({match[1]})"


RULES = [
    # engine/ is pure: the same inputs give the same outputs, on every machine and at every time.
    Rule("engine-io", "engine/ does no input or output; return what is to be done, and let net/ and jobs/ do it",
         paths=ENGINE, pattern=r"#\s*include\s*[<\"](boost/(asio|beast)|hiredis|spdlog|fstream|iostream|thread|mutex"
                               r"|filesystem|future|condition_variable|sys/|unistd)",
         bad=[engine("#include <boost/asio/awaitable.hpp>\n"), engine("#include <iostream>\n"),
              engine("#include <hiredis/async.h>\n"), engine("#include <spdlog/spdlog.h>\n"),
              engine("#include <fstream>\n"), engine("#include <thread>\n")],
         good=[engine("#include <chrono>\n#include <boost/system/result.hpp>\n"), header("#include <fstream>\n")]),
    Rule("engine-clock", "engine/ has no clock; take `now` as a parameter",
         paths=ENGINE, pattern=r"#\s*include\s*<ctime>|_clock::now|\b(gettimeofday|clock_gettime|localtime|gmtime)\b"
                               r"|\b(std::)?time\((nullptr|NULL|0)\)",
         bad=[engine("#include <ctime>\n"), engine("auto now = std::chrono::system_clock::now();\n"),
              engine("auto now = steady_clock::now();\n"), engine("auto n = std::time(nullptr);\n")],
         good=[engine("// Not system_clock::now(): time is given.\nTimestamp later(Timestamp now);\n"),
               source("auto now = std::chrono::system_clock::now();\n")]),
    Rule("engine-random", "engine/ draws no lots; take the identifiers or the randomness as a parameter",
         paths=ENGINE, pattern=r"#\s*include\s*<random>|\b(s?rand|random_device|mt19937(_64)?)\b",
         bad=[engine("#include <random>\n"), engine("int n = rand();\n"), engine("std::mt19937_64 generator;\n")],
         good=[engine("int brand = 0; int operand = 1;\n")]),
    Rule("engine-floating-point", "money has no fractions of a minor unit; use integers and a named rounding",
         paths=ENGINE, pattern=r"\b(float|double|long double|std::(lround|round|floor|ceil|pow))\b",
         bad=[engine("double rate = 0;\n"), engine("float rate = 0;\n")],
         good=[engine("// Never a double.\nint doubled = 2;\n"), source("double seconds = 0;\n")]),
    Rule("engine-log", "engine/ logs and prints nothing; put the reason into the result",
         paths=ENGINE, pattern=r"\bf?printf\b|\bspdlog\b|\b(std::)?c(out|err|log)\b|\bputs\b",
         allowed={"engine/result.cpp": "a failed check says its last words before it ends the process"},
         bad=[engine('inline void f() { printf("x"); }\n'), engine('inline void f() { spdlog::info("x"); }\n')],
         good=[engine("int catalog = 0;\n"), source('spdlog::info("x");\n')]),
    FolderRule("layers", "dependencies point down: jobs -> net -> config -> engine, named from the project's root",
               paths=CODE,
               bad=[engine('#include "net/async.hpp"\n'), header('#include "jobs/executor.hpp"\n'),
                    header('#include "async.hpp"\n'),
                    header('#include "net/async.hpp"\n', "config/sample.hpp")],
               good=[header('#include "engine/money.hpp"\n#include "net/async.hpp"\n'),
                     source('#include "net/async.hpp"\n', "jobs/sample.cpp"),
                     source('#include "jobs/executor.hpp"\n', "main.cpp")]),

    # co_await stands alone: it reads best, and g++ 12 destroys temporaries of such statements twice.
    Rule("co_await-in-condition", "await into a named value, then branch on it", paths=CODE,
         pattern=r"\b(?:if|switch|while)\s*(?:constexpr\s*)?\(\s*!?\s*\(*co_await",
         bad=[source("if (co_await f()) g();\n"), source("if (!co_await f()) g();\n"),
              source("while ((co_await f()).good()) g();\n"), source("switch (co_await f()) {}\n")],
         good=[source("bool ok = co_await f();\nif (ok) g();\n"), source("co_return co_await f();\n")]),
    Rule("co_await-in-choice", "await in the branches of an if, not in ?:", paths=CODE,
         pattern=r"\?[^;]*\bco_await\b|\bco_await\b[^;]*\?",
         bad=[source("T x = b ? co_await f() : g();\n"), source("auto x = co_await (b ? f() : g());\n")],
         good=[source("auto x = co_await f();\nint y = b ? 1 : 2;\n"), source("// Why?\nco_await f();\n")]),
    Rule("co_await-with-braces", "name the value in braces, then await with its name", paths=CODE,
         pattern=r"\bco_await\b[^;\[{}]*\{",
         bad=[source("co_await f(Request{1});\n"), source("auto x = co_await f({a, b});\n"),
              source("co_await f(\n    std::vector<std::string>{a});\n")],
         good=[source("Request request{1};\nauto x = co_await f(std::move(request));\nif (x) {\n}\n"),
               source("for (;;) {\n  co_await f();\n}\n")]),
    Rule("co_await-in-initializer", "await into a local first, then build the aggregate", paths=CODE,
         pattern=r"[{,]\s*\.\w+\s*=\s*co_await",
         bad=[source("Request r{.key = co_await f()};\n"), source("Request r{.a = 1, .key = co_await f()};\n")],
         good=[source("response.body = co_await f();\n")]),
    Rule("co_await-of-lambda", "capture by reference, or make the coroutine a function", paths=CODE,
         pattern=r"\bco_await\b[^;{}]*[(,\s]\[\s*(?:=|\*?\w+\s*[,\]=])",
         bad=[source("co_await f([value] { return value; });\n"), source("co_await f(a, [=] { return b; });\n")],
         good=[source("auto [ec, n] = co_await f(x);\n"), source("auto x = co_await f(values[0]);\n")]),
    Rule("detached", "spawn it with Tasks: what is detached swallows its exceptions and cannot be awaited at the end",
         paths=CODE, pattern=r"\bdetached\b",
         bad=[source("asio::co_spawn(executor, f(), asio::detached);\n")],
         good=[source('tasks.spawn("f", f());\n')]),

    # Everywhere.
    Rule("throw", "errors are values: return a Failure; exceptions are for start-up alone",
         paths=r"(?!tests/|bench/).*\.[ch]pp", pattern=r"\bthrow\b",
         allowed={"engine/result.cpp": "value() of a failed Result, which only start-up and tests call untested"},
         bad=[source('throw std::runtime_error("x");\n')],
         good=[source("std::rethrow_exception(failure);\n"), source("throw 1;\n", "tests/net/sample_test.cpp")]),
    Rule("using-namespace", "a header must not open a namespace for all who include it; name what is used",
         paths=r".*\.hpp", pattern=r"\busing\s+namespace\b",
         bad=[header("using namespace std::chrono;\n")],
         good=[header("using std::chrono::seconds;\n"), source("using namespace std::chrono_literals;\n")]),
    PragmaRule("pragma-once", "write #pragma once below the header's opening sentence", paths=r".*\.hpp",
               bad=[("net/sample.hpp", "// A sample.\nint f();\n"), ("net/sample.hpp", "// #pragma once\nint f();\n")],
               good=[header("int f();\n")]),
    Rule("endl", "write '\\n'; endl flushes each time", paths=CODE, pattern=r"\bendl\b",
         bad=[source("std::cout << std::endl;\n")], good=[source("std::cout << '\\n';\n")]),
    Rule("unfinished", "finish it, or say in the documentation what is missing", search_text=True,
         paths=r"(?!tests/tidy\.py).*", pattern=r"\b(TODO|FIXME|XXX|HACK)\b",
         bad=[source("// TODO: more\n"), ("run", "#!/bin/bash\n# FIXME\n")], good=[source("// XXXX is a pattern.\n")]),
    Rule("blanks", "indent with spaces, and end a line with what is on it", search_text=True,
         paths=r"(?!.*(\.gitmodules|\.tsv|\.md)$).*", pattern=r"\t|[ \r]+$",
         bad=[source("\tint x;\n"), source("int x; \n"), source("int x;\r\n")], good=[source("  int x;\n")]),
    LineRule("line-length", f"a line has at most {LINE_LENGTH_MAX} characters",
             paths=r".*(\.([ch]pp|py|sh|cmake|js|mjs|lua)|CMakeLists\.txt)|run|check|scripts/[^/]*",
             bad=[source("// " + "x" * 118 + "\n")], good=[source("// " + "x" * 117 + "\n")]),
    OpeningRule("opening", "open the file with one sentence on its purpose",
                paths=r".*(\.[ch]pp|\.py|\.cmake|CMakeLists\.txt)|run|check|\.ci/run|scripts/[^/]*",
                bad=[("net/sample.cpp", "#include <string>\n"), ("net/sample.hpp", "#pragma once\n"),
                     ("net/sample.cpp", '#include "net/other.hpp"\n'), ("scripts/sample", "#!/bin/bash\nset -e\n"),
                     ("net/CMakeLists.txt", "add_library(x)\n")],
                good=[source("int x;\n"), ("net/sample.cpp", '#include "net/sample.hpp"\n'),
                      ("scripts/sample", "#!/bin/bash\n# A sample.\n"), ("tests/sample.py", '"""A sample."""\n')]),
    AbbreviationRule("abbreviation", "write the whole word", paths=CODE,
                     bad=[source("int conn_count = 0;\n"), source("void f(Request req);\n"), source("int amt_max;\n"),
                          source("Config cfg_;\n")],
                     good=[source("auto n = reply->len + std::strlen(text) + position.str().size();\n"),
                           source('std::string prefix = "cust_";  // no cfg\n'), source("int reference = message;\n"),
                           source("#include <boost/smart_ptr.hpp>\nstd::shared_ptr<int> shared;\n")]),
    Rule("place", "a path of one machine; take it from the configuration or the environment", search_text=True,
         paths=r"(?!tests/tidy\.py).*", pattern=r"(?<![\w./$}-])/(work|home|root|Users)/\w",
         bad=[source('open("/home/ann/x");\n'), ("run", "#!/bin/bash\n# Runs.\ncd /work/x\n")],
         good=[source('get("/v1/home/x");\n'), source('open("/var/lib/billd");\n')]),
    MentionRule("mention", "this document is not in the repository",
                paths=r"(?!tests/tidy\.py).*\.([ch]pp|py|cmake|txt|md)",
                bad=[source("// See MISSING_DOCUMENT.md for why.\n")],
                good=[source("// See the manual.\n")]),
]


def project_files():
    for path in sorted(ROOT.rglob("*")):
        relative = path.relative_to(ROOT)
        if path.is_symlink() or not path.is_file() or IGNORED_FOLDERS.intersection(relative.parts):
            continue
        try:
            yield File(relative.as_posix(), path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue    # an image or an archive


def dead_sources(files):
    """Sources that no CMakeLists.txt names: they are not compiled, so nobody would notice that they are broken."""
    named = set()
    for file in files:
        if not file.path.endswith(("CMakeLists.txt", ".cmake")):
            continue
        folder = (ROOT / file.path).parent
        for token in re.findall(r"[^\s()\"]+\.cpp", re.sub(r"#[^\n]*", "", file.text)):
            token = re.sub(r"^\$\{(PROJECT|CMAKE)_SOURCE_DIR\}", str(ROOT), token)
            token = re.sub(r"^\$\{CMAKE_CURRENT_(SOURCE|LIST)_DIR\}", str(folder), token)
            named.add((folder / token).resolve())
    for file in files:
        if file.path.endswith(".cpp") and (ROOT / file.path).resolve() not in named:
            yield f"{file.path}:1: dead-source: no CMakeLists.txt names this file; list it or remove it"


def stale_permissions(files):
    paths = {file.path for file in files}
    for rule in RULES:
        for path, reason in rule.allowed.items():
            if path not in paths:
                yield f"tests/tidy.py:1: {rule.name}: {path} is allowed ({reason}), but is gone"
            elif not any(rule.find(next(file for file in files if file.path == path))):
                yield f"tests/tidy.py:1: {rule.name}: {path} is allowed ({reason}), but needs it no more"


def self_test():
    failures = []
    for rule in RULES:
        for path, text in rule.bad:
            if not list(rule.problems(File(path, text))):
                failures.append(f"{rule.name} does not find {text!r} in {path}")
        for path, text in rule.good:
            for other in RULES:
                for problem in other.problems(File(path, text)):
                    failures.append(f"a good sample of {rule.name} is refused: {problem}: {text!r}")
        if not rule.bad or not rule.good:
            failures.append(f"{rule.name} has no samples")
    stripped = without_comments_and_literals('a /* b */ "c" \'d\' R"x(e)x" 1\'000 // f\n#include "g/h.hpp"\n')
    if re.sub(r"\s+", "", stripped) != 'a""""1\'000#include"g/h.hpp"':
        failures.append(f"comments and literals: {stripped!r}")
    print("\n".join(failures) or f"{len(RULES)} rules find what they should, and only that.")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--self-test", action="store_true", help="check the rules themselves")
    parser.add_argument("prefix", nargs="*", help="only files whose path begins so, such as net/")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    files = list(project_files())
    problems = [problem for file in files for rule in RULES for problem in rule.problems(file)]
    problems += [*dead_sources(files), *stale_permissions(files)]
    wanted = tuple(arguments.prefix) or ("",)
    problems = [problem for problem in problems if problem.startswith(wanted)]
    print("\n".join(problems) or f"{sum(file.path.startswith(wanted) for file in files)} files are tidy.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
