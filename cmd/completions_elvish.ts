// The completion script for Elvish (edit:completion:arg-completer). Called by completions.ts. Elvish quotes
// what it inserts itself.

import { type Flag, isAsked, names, placeFlags, questions, type Value, type Verb } from "./completed.ts";

/** A single-quoted text, in which nothing is expanded. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What a value is completed from: a kind, and words or the question to mirrord. */
function source(value: Value | Verb["rest"]): string {
  if (isAsked(value)) return `[ask ${questions[value]}]`;
  if (value === "file" || value === "optional file") return "[file]";
  if (value === "program") return "[program]";
  return typeof value === "string" ? "[nothing]" : `[words ${value.map(quote).join(" ")}]`;
}

function flag(one: Flag): string {
  const takes = one.value === "none" ? "[]" : source(one.value);
  return `      [&names=[${names(one).map(quote).join(" ")}] &about=${quote(one.about)} &value=${takes}]`;
}

/** The script. */
export function elvish(verbs: Verb[]): string {
  const table = verbs.map((verb) =>
    `    &${quote(verb.name)}=[&about=${quote(verb.about)} &rest=${source(verb.rest)} &flags=[\n` +
    `${verb.flags.map(flag).join("\n")}\n    ]]`
  );
  return `# mirrord completions for Elvish
use str
fn mirrord-offers {|@words|
  var verbs = [
${table.join("\n")}
  ]
  var order = [${verbs.map(({ name }) => quote(name)).join(" ")}]
  var places = [${placeFlags(verbs).map(quote).join(" ")}]
  var typed = $words[..-1]
  var complete = {|source|
    var kind = $source[0]
    var rest = $source[1..]
    if (eq $kind words) {
      all $rest
    } elif (eq $kind ask) {
      var where = []
      for i [(range 2 (count $typed))] {
        var flag @_ = (str:split &max=2 = $typed[$i])
        if (not (has-value $places $flag)) {
          continue
        }
        if (not-eq $flag $typed[$i]) {
          set where = [$@where $typed[$i]]
        } elif (< (+ $i 1) (count $typed)) {
          set where = [$@where $flag $typed[(+ $i 1)]]
        }
      }
      try { (external mirrord) $@rest $@where 2>/dev/null } catch e { }
    } elif (eq $kind program) {
      edit:complete-filename $words[-1]
    } elif (eq $kind file) {
      edit:complete-filename $words[-1]
    }
  }
  if (<= (count $typed) 1) {
    for name $order {
      edit:complex-candidate $name &code-suffix=' ' &display=$name' ('$verbs[$name][about]')'
    }
    return
  }
  var name = $typed[1]
  if (not (has-key $verbs $name)) {
    return
  }
  if (has-value $typed --) {
    edit:complete-filename $words[-1]
    return
  }
  var flags = $verbs[$name][flags]
  for flag $flags {
    if (and (not-eq $flag[value] []) (has-value $flag[names] $typed[-1])) {
      $complete $flag[value]
      return
    }
  }
  if (str:has-prefix $words[-1] -) {
    for flag $flags {
      for long $flag[names] {
        edit:complex-candidate $long &code-suffix=' ' &display=$long' ('$flag[about]')'
      }
    }
    return
  }
  $complete $verbs[$name][rest]
}
set edit:completion:arg-completer[mirrord] = $mirrord-offers~
`;
}
