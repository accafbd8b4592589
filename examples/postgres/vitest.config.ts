import { defineConfig } from "vitest/config"

// Processes are started for real, also on a machine that has much to do.
export default defineConfig({ test: { testTimeout: 60_000 } })
