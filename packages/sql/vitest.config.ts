import { defineConfig } from "vitest/config"

export default defineConfig({
  test: { globalSetup: ["./test/postgres/globalSetup.ts", "./test/faults/report.ts", "./test/faults/bundle.ts"] }
})
