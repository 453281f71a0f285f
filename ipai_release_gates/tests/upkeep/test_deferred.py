"""Deferred work: what a transaction collects is done once, before its commit."""

from odoo.tests import TransactionCase

from ...models.mixins.deferred import ContextBatch, once_before_commit


class Letters(ContextBatch):
    key = "ipai_test_letters"


class Numbers(ContextBatch):
    key = "ipai_test_numbers"


class TestOnceBeforeCommit(TransactionCase):
    def setUp(self):
        super().setUp()
        self.env.cr.flush()
        self.calls = []

    def collect(self, *items, key="ipai_test", action=None):
        once_before_commit(self.env.cr, key, action or self.calls.append, items)

    def test_items_collected_one_by_one_are_acted_on_once(self):
        self.collect(1, 2)
        self.collect(2, 3)
        self.assertEqual(self.calls, [])
        self.env.cr.precommit.run()
        self.assertEqual(self.calls, [{1, 2, 3}])

    def test_an_action_without_items_runs_once(self):
        self.collect()
        self.collect()
        self.env.cr.precommit.run()
        self.assertEqual(self.calls, [set()])

    def test_keys_collect_separately(self):
        self.collect(1, key="ipai_test.a")
        self.collect(2, key="ipai_test.b")
        self.env.cr.precommit.run()
        self.assertEqual(self.calls, [{1}, {2}])

    def test_a_rolled_back_transaction_acts_on_nothing(self):
        self.collect(1)
        # Odoo clears the hooks of a transaction that it rolls back.
        self.env.cr.precommit.clear()
        self.env.cr.precommit.run()
        self.assertEqual(self.calls, [])

    def test_items_after_a_savepoint_are_acted_on_by_themselves(self):
        self.collect(1)
        with self.env.cr.savepoint():
            self.collect(2)
        self.env.cr.precommit.run()
        self.assertEqual(self.calls, [{1}, {2}])

    def test_an_action_may_collect_for_itself_again(self):
        def action(items):
            self.calls.append(items)
            if items == {1}:
                self.collect(2, action=action)

        self.collect(1, action=action)
        self.env.cr.precommit.run()
        self.assertEqual(self.calls, [{1}, {2}])


class TestContextBatch(TransactionCase):
    def test_a_batch_is_found_by_its_class_only(self):
        batch = Letters()
        env = self.env(context=batch.context())
        self.assertIs(Letters.of(env), batch)
        self.assertIsNone(Numbers.of(env))

    def test_a_context_value_of_another_type_is_no_batch(self):
        # What a caller over RPC can put into the context.
        for value in (True, {"ipai": 1}, [1], "Letters"):
            with self.subTest(value=value):
                env = self.env(context={Letters.key: value})
                self.assertIsNone(Letters.of(env))
