"""``torc completions``: scripts that teach shells the command lines of all programs."""

from torc.cli.command import argument, command
from torc.cli.completions.grammar import grammar
from torc.cli.completions.scripts import SCRIPTS
from torc.cli.output import Message


@command(
    "completions",
    argument("shell", metavar="SHELL", choices=tuple(SCRIPTS), help=f"one of {', '.join(SCRIPTS)}"),
    examples=(
        'eval "$(torc completions bash)"   # in ~/.bashrc',
        "torc completions zsh > ~/.zfunc/_torc   # with fpath+=~/.zfunc before compinit in ~/.zshrc",
        "torc completions fish > ~/.config/fish/completions/torc.fish",
        "torc completions elvish > ~/.config/elvish/lib/torc-completions.elv   # and `use torc-completions` in rc.elv",
        "torc completions powershell >> $PROFILE",
    ),
    needs_server=False,
    needs_settings=False,
)
def completions(shell: str) -> Message:
    """Print a script that completes command lines in a shell.

    It knows the commands, options and values of torc, torc-server, torc-htpasswd and pytorc, and asks the server that
    TORC_API_URL or a configuration file names for workflow ids.
    """
    script = SCRIPTS[shell](grammar())
    return Message(says=script.rstrip("\n"), data={"shell": shell, "script": script})
