// `mirrord completions SHELL`: a script that completes mirrord's command line. Known values are completed
// too: choices, files, and what only the cluster knows: for targets the script runs `mirrord ls`, for
// contexts, namespaces and services `mirrord complete`, with the flags typed so far. completed.ts has what
// completes.

import type { Shell } from "./commands.ts";
import {
  completedVerbs,
  type Flag,
  isAsked,
  names,
  placeFlags,
  questions,
  type Value,
  type Verb,
} from "./completed.ts";
import { elvish } from "./completions_elvish.ts";
import { powershell } from "./completions_powershell.ts";

/** The script for `shell`, to be sourced or put where the shell looks. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish, elvish, powershell }[shell](completedVerbs());
}

function bash(verbs: Verb[]): string {
  const values = verbs.flatMap((verb) =>
    verb.flags.filter(({ value }) => value !== "none").map((flag) => {
      const { value } = flag;
      const answer = isAsked(value)
        ? `__mirrord_asked ${questions[value]} "\${where[@]}"`
        : value === "file" || value === "optional file"
        ? "__mirrord_files"
        : `__mirrord_words "${Array.isArray(value) ? value.join(" ") : ""}"`;
      return `    ${names(flag).map((name) => `"${verb.name} ${name}"`).join("|")}) ${answer}; return ;;`;
    })
  );
  const rests = verbs.map(({ name, rest }) => {
    const answer = rest === "program"
      ? "__mirrord_programs"
      : rest === "file"
      ? "__mirrord_files"
      : rest === "services"
      ? `__mirrord_asked ${questions.services} "\${where[@]}"`
      : rest === "nothing"
      ? ":"
      : `__mirrord_words "${rest.join(" ")}"`;
    return `    ${name}) ${answer} ;;`;
  });
  const flags = verbs.map((verb) => `    ${verb.name}) flags="${verb.flags.flatMap(names).join(" ")}" ;;`);
  const verbNames = verbs.map(({ name }) => name);
  return `# mirrord completions for bash
# What comes from the cluster or a folder is compared as it is and offered quoted: no shell expands it, now or when it is run.
__mirrord_asked() {
  local word
  while IFS= read -r word; do
    [[ $word == "$cur"* ]] && printf -v word %q "$word" && COMPREPLY+=("$word")
  done < <(mirrord "$@" 2>/dev/null)
}
__mirrord_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  compopt -o filenames 2>/dev/null
}
__mirrord_programs() { mapfile -t COMPREPLY < <(compgen -c -- "$cur"); }
__mirrord_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_mirrord() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= flags= i flag
  local -a where=()
  COMPREPLY=()
  if [[ \${COMP_WORDS[1]} == help ]]; then __mirrord_words "${verbNames.join(" ")}"; return; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ -z $verb ]]; then
      case \${COMP_WORDS[i]} in ${verbNames.join("|")}) verb=\${COMP_WORDS[i]} ;; esac
    elif [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then __mirrord_programs
      else __mirrord_files; fi
      return
    else
      flag=\${COMP_WORDS[i]}
      case $flag in ${placeFlags(verbs).join("|")})
        [[ \${COMP_WORDS[i+1]} == = ]] && ((i++))
        ((i + 1 < COMP_CWORD)) && where+=("$flag" "\${COMP_WORDS[i+1]}") ;;
      esac
    fi
  done
  case "$verb $prev" in
${values.join("\n")}
  esac
  case $verb in
    "") __mirrord_words "${verbNames.join(" ")} --help --version"; return ;;
${flags.join("\n")}
  esac
  if [[ $cur == -* ]]; then __mirrord_words "$flags"; return; fi
  case $verb in
${rests.join("\n")}
  esac
}
complete -o bashdefault -F _mirrord mirrord
`;
}

function zsh(verbs: Verb[]): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''");
  const about = (text: string) => quote(text.replace(/[[\]:\\]/g, "\\$&"));
  const action = (value: Value) =>
    value === "none"
      ? ""
      : value === "optional file"
      ? "::file:_files"
      : value === "file"
      ? ":file:_files"
      : isAsked(value)
      ? `:${value}: _mirrord_asked ${questions[value]}`
      : value === "text"
      ? ":value: "
      : `:value:(${value.join(" ")})`;
  const spec = (flag: Flag) => {
    const tail = `[${about(flag.about)}]${action(flag.value)}'`;
    return flag.short === undefined
      ? `'${flag.long}${tail}`
      : `'(${flag.short} ${flag.long})'{${flag.short},${flag.long}}'${tail}`;
  };
  const rest = (verb: Verb) =>
    verb.rest === "program"
      ? ["'*::program:_normal'"]
      : verb.rest === "file"
      ? ["'1:file:_files'"]
      : verb.rest === "services"
      ? [`'*:service: _mirrord_asked ${questions.services}'`]
      : verb.rest === "nothing"
      ? []
      : [`'1:word:(${verb.rest.join(" ")})'`];
  const cases = verbs.map((verb) => {
    const specs = [...verb.flags.map(spec), ...rest(verb)].join(" \\\n        ");
    return `    ${verb.name})\n      _arguments -S \\\n        ${specs} ;;`;
  });
  return `#compdef mirrord
# mirrord completions for zsh
_mirrord_asked() {
  local -a found where
  local i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      (${placeFlags(verbs).join("|")}) ((i + 1 < CURRENT)) && where+=("$words[i]" "\${(Q)words[i+1]}") ;;
      (${placeFlags(verbs).map((name) => `${name}=*`).join("|")}) where+=("\${(Q)words[i]}") ;;
    esac
  done
  found=(\${(f)"$(mirrord "$@" "\${where[@]}" 2>/dev/null)"})
  compadd -a found
}
_mirrord() {
  local -a verbs
  verbs=(${verbs.map((verb) => `'${verb.name}:${about(verb.about)}'`).join(" ")})
  if ((CURRENT == 2)); then _describe command verbs; return; fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _mirrord ]]; then _mirrord "$@"; else compdef _mirrord mirrord; fi
`;
}

function fish(verbs: Verb[]): string {
  const quote = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const line = (...parts: string[]) =>
    ["complete -c mirrord", ...parts.filter((part) => part !== "")].join(" ");
  const value = (given: Value) =>
    given === "none"
      ? "-f"
      : given === "file" || given === "optional file"
      ? "-r -F"
      : isAsked(given)
      ? `-x -a ${quote(`(__mirrord_asked ${questions[given]})`)}`
      : given === "text"
      ? "-x"
      : `-x -a ${quote(given.join(" "))}`;
  const after = (verb: Verb) =>
    verb.rest === "program"
      ? [`-f -a ${quote("(__fish_complete_subcommand --fcs-skip=2)")}`]
      : verb.rest === "file"
      ? ["-F"]
      : verb.rest === "services"
      ? [`-f -a ${quote(`(__mirrord_asked ${questions.services})`)}`]
      : verb.rest === "nothing"
      ? ["-f"]
      : [`-f -a ${quote(verb.rest.join(" "))}`];
  const lines = verbs.flatMap((verb) => {
    const here = `-n ${quote(`__fish_seen_subcommand_from ${verb.name}`)}`;
    return [
      line("-f -n __fish_use_subcommand", `-a ${verb.name}`, `-d ${quote(verb.about)}`),
      ...after(verb).map((rest) => line(here, rest)),
      ...verb.flags.map((flag) =>
        line(
          here,
          flag.short === undefined ? "" : `-s ${flag.short.slice(1)}`,
          `-l ${flag.long.slice(2)}`,
          value(flag.value),
          `-d ${quote(flag.about)}`,
        )
      ),
    ];
  });
  const places = placeFlags(verbs);
  return `# mirrord completions for fish
function __mirrord_asked
  set -l where
  set -l words (commandline -opc)
  for i in (seq 2 (count $words))
    switch $words[$i]
      case ${places.join(" ")}
        test $i -lt (count $words); and set -a where $words[$i] $words[(math $i + 1)]
      case ${places.map((name) => `'${name}=*'`).join(" ")}
        set -a where $words[$i]
    end
  end
  mirrord $argv $where 2>/dev/null
end
${lines.join("\n")}
`;
}
