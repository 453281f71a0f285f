"""The unit tests of the addon's own screens, in a real browser."""

from odoo.tests import HttpCase, no_retry, tagged

from ..common import MODULE


def job_id(name):
    """What Hoot calls a suite in an address: a hash of its name, as Hoot makes it."""
    number = 0
    for character in name:
        number = (number * 31 + ord(character)) & 0xFFFFFFFF
    return f"{number:08x}"


@tagged("post_install", "-at_install")
class TestHoot(HttpCase):
    @no_retry
    def test_the_parts_of_the_screens_do_what_their_unit_tests_say(self):
        said = []

        def ends_the_run(message):
            said.append(message)
            # The run goes on to its summary when one of its tests fails.
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
