/** How many letters have to be added, removed or changed to make one text of another. */
const distance = (a: string, b: string): number => {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const here = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      here.push(Math.min(changed, above[column]! + 1, here[column - 1]! + 1))
    }
    above = here
  }
  return above[b.length]!
}

/**
 * The candidate that a name was most likely meant to be: one that has a few other letters, or a group before it that the
 * name lacks. Undefined if none is like it.
 */
export const nearest = (
  name: string,
  candidates: ReadonlyArray<string>,
  letters = Math.max(2, Math.floor(name.length / 4))
): string | undefined => {
  let best: string | undefined
  let least = letters + 1
  for (const candidate of candidates) {
    const lacksGroup = candidate.endsWith(name) && "._".includes(candidate.at(-name.length - 1)!)
    const apart = lacksGroup ? 2 : distance(name.toLowerCase(), candidate.toLowerCase())
    if (apart < least) [best, least] = [candidate, apart]
  }
  return best
}
