import { defineConfig } from "vitest/config"

// A machine that has much to do takes its time.
export default defineConfig({ test: { testTimeout: 60_000 } })
