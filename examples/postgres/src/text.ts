/**
 * Text for a terminal of 80 columns, in colour where that is wanted.
 */
type Colour = "green" | "red" | "yellow" | "cyan" | "dim"

const codes: Record<Colour, number> = { green: 32, red: 31, yellow: 33, cyan: 36, dim: 2 }

export type Paint = (colour: Colour, text: string) => string

export const painter = (coloured: boolean): Paint =>
  coloured ? (colour, text) => `\u001B[${codes[colour]}m${text}\u001B[0m` : (_, text) => text

const WIDTH = 80

export const clip = (text: string, width = WIDTH): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`

/** Ids of one minute begin alike: it is their ends that tell them from each other. */
export const tail = (id: string, length = 8): string => id.slice(-length)

/** Milliseconds in seconds. */
export const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`
