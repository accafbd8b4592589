/**
 * A real Postgres for tests, examples and benchmarks, out of binaries of the package registry: nothing to install.
 */
export { isAlive } from "./processes.ts"
export { makeHome, makeTemplate, type Server, type ServerOptions, startServer } from "./server.ts"
