"""Completion scripts for shells that read JSON."""

ELVISH = """\
# elvish completion for torc and its programs, made by `torc completions elvish`
use path
use str

var grammar = (print '@GRAMMAR@' | from-json)
var nothing = [&commands=[&] &options=[&] &values=[&] &places=[] &open=$false]

fn level {|words|
  if (has-key $grammar $words) { put $grammar[$words] } else { put $nothing }
}

fn offer {|names|
  keys $names | order | each {|name| edit:complex-candidate $name &display=$name'  '$names[$name] }
}

fn offer-kind {|kind current|
  if (eq $kind '@files') {
    edit:complete-filename $current
  } elif (eq $kind '@workflows') {
    try {
      torc candidates workflows -f table < /dev/null 2> /dev/null | from-lines | each {|line|
        var parts = [(str:split "\\t" $line)]
        edit:complex-candidate $parts[0] &display=(str:join '  ' $parts)
      }
    } catch e { }
  } elif (not-eq $kind '') {
    str:split ' ' $kind
  }
}

fn complete {|@words|
  var path = (path:base $words[0])
  if (eq $path torc-client) { set path = torc }
  if (eq $path torc-job-runner) { set path = 'torc run' }
  var common = (level (str:split &max=2 ' ' $path | take 1)' ...')
  var here = (level $path)
  var number = 0
  var awaited = ''
  for word $words[1..-1] {
    if (not-eq $awaited '') {
      set awaited = ''
    } elif (str:has-prefix $word '-') {
      if (or (has-key $here[values] $word) (has-key $common[values] $word)) { set awaited = $word }
    } elif (has-key $here[commands] $word) {
      set path = $path' '$word
      set here = (level $path)
      set number = 0
    } else {
      set number = (+ $number 1)
    }
  }
  var current = $words[-1]
  if (not-eq $awaited '') {
    var values = $common[values]
    if (has-key $here[values] $awaited) { set values = $here[values] }
    offer-kind $values[$awaited] $current
  } elif (str:has-prefix $current '-') {
    offer $here[options]
    offer $common[options]
  } else {
    offer $here[commands]
    if (< $number (count $here[places])) {
      offer-kind $here[places][$number] $current
    } elif $here[open] {
      offer-kind $here[places][-1] $current
    }
  }
}

for program [torc torc-client torc-job-runner torc-server torc-htpasswd pytorc] {
  set edit:completion:arg-completer[$program] = $complete~
}
"""

POWERSHELL = """\
# PowerShell completion for torc and its programs, made by `torc completions powershell`
$TorcGrammar = ConvertFrom-Json '@GRAMMAR@'

function TorcValues($name, $levels) {
    foreach ($level in $levels) {
        if ($level -and $level.values.PSObject.Properties[$name]) { return ,@($level.values.$name) }
    }
    return $null
}

function TorcOffer($names, $current) {
    if (-not $names) { return }
    foreach ($one in $names.PSObject.Properties) {
        if ($one.Name -like "$current*") {
            $told = if ($one.Value) { $one.Value } else { $one.Name }
            [System.Management.Automation.CompletionResult]::new($one.Name, $one.Name, 'ParameterValue', $told)
        }
    }
}

$programs = 'torc', 'torc-client', 'torc-job-runner', 'torc-server', 'torc-htpasswd', 'pytorc'
Register-ArgumentCompleter -Native -CommandName $programs -ScriptBlock {
    param($current, $ast, $cursor)
    $before = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { "$_" })
    $path = [System.IO.Path]::GetFileNameWithoutExtension($before[0])
    if ($path -eq 'torc-client') { $path = 'torc' }
    if ($path -eq 'torc-job-runner') { $path = 'torc run' }
    $common = $TorcGrammar.(($path -split ' ')[0] + ' ...')
    $here = $TorcGrammar.$path
    $number = 0
    $awaited = $null
    foreach ($word in ($before | Select-Object -Skip 1)) {
        if ($awaited) {
            $awaited = $null
        } elseif ($word.StartsWith('-')) {
            if ($null -ne (TorcValues $word @($here, $common))) { $awaited = $word }
        } elseif ($here.commands.PSObject.Properties[$word]) {
            $path = "$path $word"
            $here = $TorcGrammar.$path
            $number = 0
        } else {
            $number += 1
        }
    }
    $kind = ''
    if ($awaited) {
        $kind = (TorcValues $awaited @($here, $common))[0]
    } elseif ($current.StartsWith('-')) {
        TorcOffer $here.options $current
        TorcOffer $common.options $current
    } else {
        TorcOffer $here.commands $current
        if ($number -lt $here.places.Count) {
            $kind = $here.places[$number]
        } elseif ($here.open) {
            $kind = $here.places[-1]
        }
    }
    if ($kind -eq '@workflows') {
        $kind = (torc candidates workflows -f table 2>$null | ForEach-Object { ($_ -split "`t")[0] }) -join ' '
    }
    # Offered nothing, PowerShell completes file names by itself.
    if ($kind -and $kind -ne '@files') {
        $kind -split ' ' | Where-Object { $_ -like "$current*" }
    }
}
"""
