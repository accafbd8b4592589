/**
 * The command of a crontab line: `%` is a line feed, what follows the first is standard input, `\%` is a percent sign.
 */
export interface CommandText {
  readonly command: string
  /** Ends with a line feed. Undefined where the line has no `%`, or nothing follows it. */
  readonly stdin: string | undefined
}

export const readCommand = (text: string): CommandText => {
  const parts = [""]
  for (const [token] of text.matchAll(/\\[^]|[^]/g)) {
    if (token === "%") parts.push("")
    else parts[parts.length - 1] += token === "\\%" ? "%" : token
  }
  const [command = "", ...input] = parts
  const stdin = input.join("\n")
  return { command, stdin: stdin === "" ? undefined : stdin.endsWith("\n") ? stdin : `${stdin}\n` }
}
