/**
 * Collects the items of a field as sets; what the text form and the field-wise form of cron have in common.
 */
import { add60, type Bits60 } from "./bits.ts"
import { eachItem, type FieldGrammar, type Item, parseItem, Problem } from "./cronItem.ts"

export const setOf = (text: string, field: FieldGrammar): Bits60 | Problem => {
  const set: Bits60 = { low: 0, high: 0 }
  const problem = eachItem(text, (part) => {
    const item = parseItem(part, field)
    if (item instanceof Problem) return item
    for (let value = item.from; value <= item.to; value += item.step) add60(set, value)
    return undefined
  })
  return problem ?? set
}

/** A field whose values are below 32. */
export const smallSetOf = (text: string, field: FieldGrammar): number | Problem => {
  let bits = 0
  const problem = eachItem(text, (part) => {
    const item = parseItem(part, field)
    if (item instanceof Problem) return item
    bits |= bitsOf(item)
    return undefined
  })
  return problem ?? bits
}

/** Sorted years without repetition; undefined for every year. */
export const yearsOf = (text: string, field: FieldGrammar): ReadonlyArray<number> | undefined | Problem => {
  const years = new Set<number>()
  let all = false
  const problem = eachItem(text, (part) => {
    const item = parseItem(part, field)
    if (item instanceof Problem) return item
    if (part === "*") all = true
    else for (let year = item.from; year <= item.to; year += item.step) years.add(year)
    return undefined
  })
  return problem ?? (all ? undefined : Array.from(years).toSorted((a, b) => a - b))
}

export const bitsOf = (item: Item): number => {
  let bits = 0
  for (let value = item.from; value <= item.to; value += item.step) bits |= 1 << value
  return bits
}

/** Bit 7 of a weekday set is Sunday too. */
export const foldSunday = (bits: number): number => (bits & 127) | ((bits >>> 7) & 1)

export const isWild = (text: string): boolean => text.startsWith("*") || text.includes(",*")
