/** What a node knows: rows of newer versions or with other custom rules are none of its business. */
export interface Knowledge {
  readonly version: number
  readonly triggers: ReadonlyArray<string>
}

/** The rows that the same nodes may fire. */
export interface Group {
  readonly version: number
  readonly needs: string
}

/** Whether a node with this knowledge may decide for rows of the group. */
export const isKnown = ({ needs, version }: Group, knowledge: Knowledge): boolean =>
  version <= knowledge.version && (needs === "" || needs.split(",").every((name) => knowledge.triggers.includes(name)))
