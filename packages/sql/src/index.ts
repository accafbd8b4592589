/**
 * Job stores for `effect-scheduler` in SQL databases.
 *
 * @since 0.1.0
 */
export * as SqlJobStore from "./SqlJobStore.ts"
export * as SqliteClient from "./SqliteClient.ts"
