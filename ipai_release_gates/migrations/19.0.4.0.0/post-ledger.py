"""An endpoint that received cancellations as moves receives them as cancellations."""


def migrate(cr, version):
    """Subscribe endpoints to cancellations as they were subscribed to moves."""
    cr.execute(
        "UPDATE ipai_webhook_endpoint SET on_release_cancelled = on_release_moved"
    )
