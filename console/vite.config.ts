import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The server that `npm run dev` talks to. */
const server = process.env.FREEHOLD_URL ?? "http://127.0.0.1:8080";
const proxied = ["/v1", "/health", "/docs", "/openapi.json", "/.well-known", "/dev/mail"];

export default defineConfig({
  plugins: [react()],
  server: {
    host: "127.0.0.1",
    port: 5173,
    // The live stream is a WebSocket.
    proxy: Object.fromEntries(
      proxied.map((path) => [path, { target: server, ws: path === "/v1" }]),
    ),
  },
  build: {
    outDir: "dist",
    // The content security policy allows files of our own only: nothing may be inlined as data:.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rollupOptions: {
      output: {
        // What changes with every release apart from what rarely does: browsers keep the latter.
        manualChunks(id: string) {
          if (/node_modules\/(react|react-dom|scheduler|@tanstack)\//.test(id)) return "react";
          if (/node_modules\/(@mantine|@floating-ui|react-remove-scroll)\//.test(id))
            return "mantine";
          return undefined;
        },
      },
    },
  },
});
