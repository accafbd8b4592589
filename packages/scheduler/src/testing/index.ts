/**
 * What a test of a store or of a scheduler needs: the suite for stores.
 *
 * @since 0.1.0
 */
export * as NaiveJobStore from "./NaiveJobStore.ts"
export * as StoreSuite from "./StoreSuite.ts"
