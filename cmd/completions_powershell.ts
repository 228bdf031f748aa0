// The completion script for PowerShell (Register-ArgumentCompleter). Called by completions.ts. What it offers
// nothing for, PowerShell completes by files.

import { type Flag, isAsked, names, placeFlags, questions, type Value, type Verb } from "./completed.ts";

/** A single-quoted text, in which nothing is expanded (about_Quoting_Rules). */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function list(texts: readonly string[]): string {
  return `@(${texts.map(quote).join(", ")})`;
}

/** What a value is completed from: words, or what mirrord is asked. */
function source(value: Value | Verb["rest"]): string {
  if (isAsked(value)) return `@{ Ask = ${list(questions[value].split(" "))} }`;
  return typeof value === "string" ? "@{}" : `@{ Words = ${list(value)} }`;
}

function flag(one: Flag): string {
  const takes = one.value === "none" ? "" : `; Value = ${source(one.value)}`;
  return `            @{ Names = ${list(names(one))}; About = ${quote(one.about)}${takes} }`;
}

/** The script. */
export function powershell(verbs: Verb[]): string {
  const table = verbs.map((verb) =>
    `        ${quote(verb.name)} = @{ About = ${quote(verb.about)}; Rest = ${
      source(verb.rest)
    }; Flags = @(\n` +
    `${verb.flags.map(flag).join("\n")}\n        ) }`
  );
  return `# mirrord completions for PowerShell
Register-ArgumentCompleter -Native -CommandName mirrord -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $verbs = [ordered]@{
${table.join("\n")}
    }
    $places = ${list(placeFlags(verbs))}
    $typed = @(foreach ($element in $commandAst.CommandElements) {
        if ($element.Extent.EndOffset -lt $cursorPosition) {
            if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value }
            else { $element.Extent.Text }
        }
    })
    $offer = {
        param($text, $about, $kind)
        if (-not $text.StartsWith($wordToComplete.Trim("'"))) { return }
        $inserted = $text
        if ($text -notmatch '^[\\w./:@=-]+$') {
            # Typographic quotes end such a text too.
            $inner = [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($text)
            $inserted = "'" + $inner + "'"
        }
        [System.Management.Automation.CompletionResult]::new($inserted, $text, $kind, $about)
    }
    $complete = {
        param($source)
        $found = $source.Words
        if ($source.Ask) {
            $where = @(for ($i = 2; $i -lt $typed.Count; $i++) {
                if ($places -contains $typed[$i] -and $i + 1 -lt $typed.Count) { $typed[$i]; $typed[$i + 1] }
                elseif ($places -contains ($typed[$i] -split '=', 2)[0]) { $typed[$i] }
            })
            $ask = $source.Ask
            $found = @(mirrord @ask @where 2>$null)
        }
        foreach ($word in $found) { & $offer $word $word ParameterValue }
    }
    if ($typed.Count -le 1) {
        foreach ($name in $verbs.Keys) { & $offer $name $verbs[$name].About Command }
        return
    }
    $verb = $verbs[$typed[1]]
    if (-not $verb -or $typed -contains '--') { return }
    $last = $typed[-1]
    foreach ($flag in $verb.Flags) {
        if ($flag.Value -and $flag.Names -contains $last) { return & $complete $flag.Value }
    }
    if ($wordToComplete.StartsWith('-')) {
        foreach ($flag in $verb.Flags) {
            foreach ($name in $flag.Names) { & $offer $name $flag.About ParameterName }
        }
        return
    }
    & $complete $verb.Rest
}
`;
}
