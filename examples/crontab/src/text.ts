/**
 * Text for a terminal of 80 columns, in colour where that is wanted.
 */
export type Colour = "green" | "red" | "yellow" | "cyan" | "dim"

const codes: Record<Colour, number> = { green: 32, red: 31, yellow: 33, cyan: 36, dim: 2 }

export type Paint = (colour: Colour, text: string) => string

export const painter = (coloured: boolean): Paint =>
  coloured ? (colour, text) => `\u001B[${codes[colour]}m${text}\u001B[0m` : (_, text) => text

/** Whether a stream wants colour: a terminal does, unless `NO_COLOR` is set to anything. */
export const wantsColour = (stream: { readonly isTTY?: boolean | undefined }, env: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && (env["NO_COLOR"] ?? "") === ""

/** Exactly `width` characters, cut with an ellipsis or filled with blanks. */
export const column = (text: string, width: number): string => clip(text, width).padEnd(width)

export const clip = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`
