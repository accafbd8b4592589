/**
 * Everything that changes a schedule, as transitions that a store runs inside its transactions.
 */
export { advance } from "./advance.ts"
export type { Resolved, TransitionContext } from "./context.ts"
export { type Definition, type Patch, reschedule, update } from "./edit.ts"
export { pause, resume } from "./pause.ts"
export { remove } from "./remove.ts"
export { type Draft, upsert } from "./upsert.ts"
