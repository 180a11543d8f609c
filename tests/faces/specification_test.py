"""specification.md names a test for every statement, only tests that there are, and all of them."""
import pathlib
import re
import unittest

FOLDER = pathlib.Path(__file__).parent


def statements():
    """The statements under each heading's module, with the full names of their tests."""
    found, module = [], None
    text = re.sub(r"\n +", " ", (FOLDER / "specification.md").read_text())
    for line in text.splitlines():
        if line.startswith("## "):
            module = line.split(":")[1].strip()
        elif line.startswith("- "):
            statement, arrow, tests = line[2:].partition("→")
            names = [name.strip() for name in tests.split(",") if name.strip()] if arrow else []
            found.append((statement.strip(), [name if name.count(".") == 2 else f"{module}.{name}" for name in names]))
    return found


def all_tests():
    def names(suite):
        for each in suite:
            yield from names(each) if isinstance(each, unittest.TestSuite) else [each.id()]
    return {name for path in FOLDER.glob("*_test.py") if path.stem != "specification_test"
            for name in names(unittest.defaultTestLoader.loadTestsFromName(path.stem))}


class Specification(unittest.TestCase):
    def test_every_statement_names_tests_that_there_are(self):
        known = all_tests()
        self.assertGreater(len(statements()), 100)
        for statement, tests in statements():
            self.assertTrue(tests, f"no test is named for: {statement}")
            for test in tests:
                self.assertIn(test, known, statement)

    def test_every_test_is_named_by_a_statement(self):
        named = {test for _, tests in statements() for test in tests}
        self.assertEqual(all_tests() - named, set())
