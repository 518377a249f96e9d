"""Runs one module of CPython's own tests: `outcomes.py MODULE FILE` writes how each test ended."""

import json
import sys
import unittest


class Outcomes(unittest.TextTestResult):
    """A result that remembers every test by its name."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.by_test = {}

    def _note(self, test, outcome):
        self.by_test[str(test)] = outcome

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note(test, "ok")

    def addError(self, test, error):
        super().addError(test, error)
        self._note(test, "error")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._note(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self._note(test, "failed as expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._note(test, "ok, not as expected")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._note(subtest, "failed")


def main(module, path):
    suite = unittest.defaultTestLoader.loadTestsFromName("test." + module)
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=1).run(suite)
    with open(path, "w") as out:
        json.dump(result.by_test, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
