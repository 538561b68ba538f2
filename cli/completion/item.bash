# SPDX-License-Identifier: Apache-2.0
# Completion of the program item for bash (package bash-completion). Commands, options and what an
# option takes are those that the program itself tells, so that nothing is listed here twice.

_item()
{
    local cur prev words cword
    _init_completion || return
    local command=${words[1]} kind

    if ((cword == 1)) || { ((cword == 2)) && [[ $command == help ]]; }; then
        COMPREPLY=($(compgen -W "$("$1" help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p')
            help --help --version" -- "$cur"))
        return
    fi
    # what the option before the cursor takes: FOLDER, FILE, N ..., or nothing
    kind=$("$1" "$command" --help 2>/dev/null |
        awk -v option="$prev" '/^  -/ && $1 == option && /^  [^ ]+ [^ ]/ { print $2 }')
    case "$prev $kind" in
    *" ") ;;
    "--precision "*) COMPREPLY=($(compgen -W "fp32 bf16 auto" -- "$cur")) ;;
    "--device "*) COMPREPLY=($(compgen -W "cpu cuda" -- "$cur")) ;;
    "--threshold NAME") COMPREPLY=($(compgen -W "fpr1 fpr5" -- "$cur")) ;;
    "--threshold-rule "*) COMPREPLY=($(compgen -W "pooled worst-source" -- "$cur")) ;;
    "--known-sources "*) COMPREPLY=($(compgen -W "keep drop" -- "$cur")) ;;
    "--verdict "*) COMPREPLY=($(compgen -W "real unsure ai none" -- "$cur")) ;;
    "--origin "*) COMPREPLY=($(compgen -W "ai ai_part capture other" -- "$cur")) ;;
    "--sort "*) COMPREPLY=($(compgen -W "path probability date" -- "$cur")) ;;
    *" FOLDER") _filedir -d ;;
    *" FILE" | *" HEAD" | *" PAGE") _filedir ;;
    esac
    [[ $kind ]] && return

    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$("$1" "$command" --help 2>/dev/null |
            sed -n 's/^  \(-[^ ]*\).*/\1/p')" -- "$cur"))
    elif [[ $command == pack ]] && ((cword == 2)); then
        COMPREPLY=($(compgen -W "show verify create" -- "$cur"))
    elif [[ $command != doctor && $command != tokenize && $command != phrases ]]; then
        _filedir
    fi
} && complete -F _item item
