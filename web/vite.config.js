import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

export default defineConfig({
  plugins: [viteSingleFile({ removeViteModuleLoader: true })],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    rollupOptions: { input: "view.html" },
    modulePreload: false,
    emptyOutDir: false,
    reportCompressedSize: true,
  },
});
