/**
 * What a command writes, in bounds: lines as they come, and the end of it.
 */

/**
 * Cuts text into lines. A line longer than `max` characters is handed on in pieces, so that no command can fill the
 * memory with a line that never ends.
 */
export const lineSplitter = (max = 2_000) => {
  let rest = ""
  return {
    push: (text: string): ReadonlyArray<string> => {
      const lines = (rest + text).split("\n")
      rest = lines.pop()!
      const pieces = lines.flatMap((line) => chunks(line, max))
      while (rest.length > max) {
        pieces.push(rest.slice(0, max))
        rest = rest.slice(max)
      }
      return pieces
    },
    /** What came after the last line feed. */
    end: (): ReadonlyArray<string> => (rest === "" ? [] : [rest])
  }
}

const chunks = (line: string, max: number): Array<string> => {
  const pieces = [line.slice(0, max)]
  for (let at = max; at < line.length; at += max) pieces.push(line.slice(at, at + max))
  return pieces
}

/**
 * Keeps the last lines of an output, `max` characters at most, and counts the lines that were there before.
 */
export const outputTail = (max = 4_000) => {
  const lines: Array<string> = []
  let size = 0
  let dropped = 0
  return {
    push: (line: string): void => {
      lines.push(line)
      size += line.length + 1
      while (size > max && lines.length > 1) {
        size -= lines.shift()!.length + 1
        dropped++
      }
    },
    text: (): string => (dropped === 0 ? lines : [`(${dropped} earlier lines)`, ...lines]).join("\n")
  }
}
