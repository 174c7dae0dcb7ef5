import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server the development build talks to; a production build is served by it.
const server = process.env.HEARTH_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2023",
    // The content security policy allows no `data:` fonts, so nothing is inlined.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: Object.fromEntries(["/api", "/auth"].map((path) => [path, server])),
  },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://hearth.test/" } },
    setupFiles: ["./src/test-setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    pool: "threads",
    // Far above what a test needs: a busy machine is no defect.
    testTimeout: 30_000,
  },
});
