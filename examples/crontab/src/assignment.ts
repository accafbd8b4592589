/**
 * `NAME=value` lines as vixie's cron reads them: blanks around the `=` do not count, name and value may stand in
 * matching quotes (which keep blanks at the ends), nothing is expanded, and an empty value must be quoted.
 */
export interface Assignment {
  /** From 1. */
  readonly column: number
  readonly name: string
  /** Undefined where it is none. */
  readonly value: string | undefined
}

/** Undefined where the line is not an assignment at all. */
export const assignment = (line: string): Assignment | undefined => {
  const match = /^(\s*)(?:"([^"]+)"|'([^']+)'|([^\s"'=]+))\s*=\s*(.*?)\s*$/.exec(line)
  if (match === null) return undefined
  const [, blanks = "", double, single, bare, text = ""] = match
  return { column: blanks.length + 1, name: double ?? single ?? bare ?? "", value: valueOf(text) }
}

const valueOf = (text: string): string | undefined => {
  const quote = text[0]
  if (quote === undefined) return undefined
  if (quote !== `"` && quote !== "'") return text
  const end = text.indexOf(quote, 1)
  return end === text.length - 1 && end > 0 ? text.slice(1, end) : undefined
}
