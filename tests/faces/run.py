#!/usr/bin/env python3
"""Starts a daemon, runs the tests of the APIs against it, and stops it. Usage: run.py PATH-TO-BILLD [TEST...]"""
import pathlib
import sys
import unittest

import service


def main():
    billd, *names = sys.argv[1:]
    service.service = service.Service(billd)
    folder = pathlib.Path(__file__).parent
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names) if names else loader.discover(str(folder), "*_test.py")
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    status, log = service.service.stop()
    if not result.wasSuccessful() or status != 0:
        print(log, file=sys.stderr)
        print(f"billd ended with {status}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
