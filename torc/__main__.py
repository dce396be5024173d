"""``python -m torc`` is ``torc``."""

import sys

from torc.cli.main import main

sys.exit(main())
