/**
 * What a test of a store or of a scheduler needs: the suite that every store must pass, its executable specification, random
 * commands that compare two stores, invariants, calls that go wrong, a clock whose date can be set, and a wait for rest.
 *
 * @module
 * @since 0.1.0
 */
export * as FaultyStore from "./FaultyStore.ts"
export * as Invariants from "./Invariants.ts"
export * as NaiveJobStore from "./NaiveJobStore.ts"
export * as OffsetClock from "./OffsetClock.ts"
export * as StoreModel from "./StoreModel.ts"
export * as StoreSuite from "./StoreSuite.ts"
export { settled } from "./settled.ts"
