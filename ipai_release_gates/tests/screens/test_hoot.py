"""The unit tests of the addon's own screens, in a real browser."""

from odoo.tests import HttpCase, no_retry, tagged

from ..common import MODULE


def job_id(name):
    """The id of a suite in a URL: the hash of its name that Hoot computes."""
    number = 0
    for character in name:
        number = (number * 31 + ord(character)) & 0xFFFFFFFF
    return f"{number:08x}"


@tagged("post_install", "-at_install")
class TestHoot(HttpCase):
    @no_retry
    def test_the_javascript_unit_tests_pass(self):
        said = []

        def ends_the_run(message):
            said.append(message)
            # After a failed test, the run continues to its summary.
            return "[HOOT]" not in message

        try:
            self.browser_js(
                "/web/tests?headless&loglevel=2&preset=desktop&timeout=15000"
                f"&id={job_id(f'@{MODULE}')}",
                "",
                "",
                login="admin",
                timeout=300,
                success_signal="[HOOT] Test suite succeeded",
                error_checker=ends_the_run,
            )
        except AssertionError as failure:
            raise self.failureException("\n".join([*said, str(failure)])) from None
