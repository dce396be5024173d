"""Completion scripts for shells whose data are words and lines."""

_LEVEL = """\
_torc_level() {
    commands= options= values= places= more=
    case $1 in
@GRAMMAR@
    esac
}

# Sets $kind to what belongs behind the option $1, and fails when it takes no value.
_torc_value() {
    case "|$values|" in
    *"|$1="*) kind="|$values|"; kind=${kind#*"|$1="}; kind=${kind%%"|"*} ;;
    *) return 1 ;;
    esac
}

# Sets $kind to what belongs in the place number $1.
_torc_place() {
    local rest=$places number=$1
    while [ "$number" -gt 1 ]; do
        case $rest in
        *"|"*) rest=${rest#*"|"} ;;
        *) [ -n "$more" ] || rest= ;;
        esac
        number=$((number - 1))
    done
    kind=${rest%%"|"*}
}

# Walks along the words before the cursor. Sets $kind, and $commands and $options of the level it comes to.
_torc_walk() {
    local path=$1 number=1 word awaited= shared_options shared_values
    path=${path##*/}
    case $path in
    torc-client) path=torc ;;
    torc-job-runner) path="torc run" ;;
    esac
    shift
    _torc_level "${path%% *} ..."
    shared_options=$options shared_values=$values
    _torc_level "$path"
    values="$values|$shared_values"
    for word in "$@"; do
        if [ -n "$awaited" ]; then
            awaited=
            continue
        fi
        case $word in
        -*) if _torc_value "$word"; then awaited=$word; fi; continue ;;
        esac
        case " $commands " in
        *" $word "*)
            path="$path $word" number=1
            _torc_level "$path"
            values="$values|$shared_values"
            ;;
        *) number=$((number + 1)) ;;
        esac
    done
    options="$options $shared_options"
    if [ -n "$awaited" ]; then
        _torc_value "$awaited"
        commands= options=
    else
        _torc_place "$number"
    fi
}
"""

BASH = f"""\
# bash completion for torc and its programs, made by `torc completions bash`

{_LEVEL}
_torc_complete() {{
    local commands options values places more kind current=$2 IFS=$' \\t\\n'
    _torc_walk "${{COMP_WORDS[@]:0:COMP_CWORD}}"
    COMPREPLY=()
    case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")); return ;;
    esac
    case $kind in
    @files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    @workflows) COMPREPLY=($(compgen -W "$(torc candidates workflows -f table </dev/null 2>/dev/null | cut -f 1)" \\
        -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$kind" -- "$current")) ;;
    esac
    COMPREPLY+=($(compgen -W "$commands" -- "$current"))
}}

complete -F _torc_complete torc torc-client torc-job-runner torc-server torc-htpasswd pytorc
"""

ZSH = f"""\
#compdef torc torc-client torc-job-runner torc-server torc-htpasswd pytorc
# zsh completion for torc and its programs, made by `torc completions zsh`

{_LEVEL}
_torc() {{
    emulate -L zsh
    local commands options values places more kind current=$words[CURRENT] line
    local -a ids named
    _torc_walk "${{(@Q)words[1,CURRENT-1]}}"
    if [[ $current == -* ]]; then
        compadd -- ${{=options}}
        return
    fi
    case $kind in
    @files) _files ;;
    @workflows)
        for line in "${{(@f)$(torc candidates workflows -f table </dev/null 2>/dev/null)}}"; do
            [[ -n $line ]] || continue
            ids+=("${{line%%$'\\t'*}}")
            named+=("${{line/$'\\t'/  }}")
        done
        compadd -V workflows -l -d named -- $ids
        ;;
    *) compadd -- ${{=kind}} ;;
    esac
    compadd -- ${{=commands}}
}}

if [ "$funcstack[1]" = "_torc" ]; then
    _torc "$@"
else
    compdef _torc torc torc-client torc-job-runner torc-server torc-htpasswd pytorc
fi
"""

FISH = """\
# fish completion for torc and its programs, made by `torc completions fish`

# What there is behind the words $argv[1]: lines of command, option, value or place, a name, and help or a kind.
function __torc_level
    switch $argv[1]
@GRAMMAR@
    end
end

# The rest of the lines that say $argv[1] and $argv[2]; the lines follow. Fails when there is none.
function __torc_find
    set -l begin (printf '%s\\t%s\\t' $argv[1] $argv[2])
    for line in $argv[3..]
        if test (string sub -l (string length -- $begin) -- $line) = $begin
            string sub -s (math (string length -- $begin) + 1) -- $line
            return 0
        end
    end
    return 1
end

function __torc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l path (path basename -- $words[1])
    switch $path
        case torc-client
            set path torc
        case torc-job-runner
            set path 'torc run'
    end
    set -l common (__torc_level (string split ' ' -- $path)[1]' ...')
    set -l level (__torc_level $path) $common
    set -l number 1
    set -l awaited
    for word in $words[2..]
        if set -q awaited[1]
            set awaited
        else if string match -q -- '-*' $word
            __torc_find value $word $level >/dev/null; and set awaited $word
        else if __torc_find command $word $level >/dev/null
            set path "$path $word"
            set level (__torc_level $path) $common
            set number 1
        else
            set number (math $number + 1)
        end
    end
    set -l kind
    if set -q awaited[1]
        set kind (__torc_find value $awaited $level)
    else if string match -q -- '-*' $current
        string replace -f -r '^option\\t' '' -- $level
        return
    else
        string replace -f -r '^command\\t' '' -- $level
        set kind (__torc_find place $number $level; or __torc_find place '*' $level)
    end
    switch "$kind"
        case @files
            __fish_complete_path $current
        case @workflows
            torc candidates workflows -f table </dev/null 2>/dev/null
        case '*'
            string split -n ' ' -- $kind
    end
end

for program in torc torc-client torc-job-runner torc-server torc-htpasswd pytorc
    complete -c $program -f -a '(__torc_complete)'
end
"""
