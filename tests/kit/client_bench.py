"""What the tests of ``ipai-gates`` ask a server and its spool beside the client."""

from contextlib import closing

from tools.server import free_port

#: The exit codes of the client.
DONE, NOT_ELIGIBLE, UNREACHABLE, REFUSED, SPOOLED, USAGE = range(6)


def rows(site, query, *params):
    """The rows of a query in the database of a site."""
    with closing(site.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def log(site, keys):
    """``(key, status)`` of the ingest log for some keys, in the order of arrival."""
    return rows(
        site,
        "SELECT idempotency_key, status FROM ipai_ingest_log"
        " WHERE idempotency_key = ANY(%s) ORDER BY id",
        list(keys),
    )


def keys_of(*ended_clients):
    """The keys of what ended clients sent, in order."""
    return [a["key"] for each in ended_clients for a in each.data["answers"]]


def unreachable():
    """An address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def move_spool(client, address):
    """Give what waits for one address to the client's server."""
    import hashlib

    old, new = (
        client.spool / hashlib.sha256(f"{url}|".encode()).hexdigest()[:16]
        for url in (address, client.url)
    )
    if new.exists():
        for path in (old / "queue").iterdir():
            path.rename(new / "queue" / path.name)
    else:
        old.rename(new)
