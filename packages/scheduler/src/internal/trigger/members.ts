/**
 * The members of a combination, of which there is at least one.
 */
import type { Rule } from "./model.ts"

export type Members = readonly [Rule, ...ReadonlyArray<Rule>]

/** The same for each member. */
export const mapMembers = <A>([first, ...others]: Members, f: (member: Rule) => A): [A, ...Array<A>] => [
  f(first),
  ...others.map(f)
]
