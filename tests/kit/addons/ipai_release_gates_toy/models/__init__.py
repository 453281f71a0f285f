from . import requirement
from . import ledger_entry
from . import walkthrough
from . import release
from . import dossier
from . import webhook_source
