"""``python -m torc.server`` is ``torc-server``."""

from torc.server.serve import main

if __name__ == "__main__":
    main()
