"""The ``torc`` command: arguments in, a verb called, a result printed."""
