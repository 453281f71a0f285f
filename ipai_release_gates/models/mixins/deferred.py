"""Work that is collected while a transaction runs and done once."""


def once_before_commit(cr, key, action, items=()):
    """Collect items, and act on all of them once, just before the commit.

    Nothing is done in a transaction that is rolled back. An action that collects again
    under its own key is called once more. Odoo also runs these actions before it sets
    a savepoint, so a transaction with savepoints may call the action several times,
    each time with what was collected since.

    :param cr: cursor of the transaction
    :param str key: names the work; items of one key are collected together
    :param action: called with the set of all items
    :param items: hashable values, which may be none
    """
    hooks = cr.precommit
    if key not in hooks.data:
        hooks.data[key] = set()
        # The dict is looked up when the hook runs: Odoo's tests replace it.
        hooks.add(lambda: action(hooks.data.pop(key, set())))
    hooks.data[key].update(items)


class ContextBatch:
    """Collects work under a context, and does it once when its maker asks for it.

    For consequences that the same transaction reads, which cannot wait for the commit.
    Only code of an addon can put an instance in a context: a value that came over RPC
    is never one.
    """

    #: Where a context holds the batch; each class has a key of its own.
    key = None

    def context(self):
        """The context under which work is collected."""
        return {self.key: self}

    @classmethod
    def of(cls, env):
        """The batch of this class that an environment collects in, or ``None``."""
        batch = env.context.get(cls.key)
        return batch if isinstance(batch, cls) else None
