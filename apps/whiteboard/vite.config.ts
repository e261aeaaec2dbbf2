/** Builds the whiteboard to `dist/apps/whiteboard`, with everything that it will ever ask for. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;
const repository = join(root, '../..');
const outDir = join(repository, 'dist/apps/whiteboard');

export default defineConfig({
  root,
  plugins: [react(), excalidrawFonts()],
  resolve: {
    alias: {
      '@homeport/client': join(repository, 'libs/client/src/index.ts'),
      '@homeport/protocol': join(repository, 'libs/protocol/src/index.ts'),
    },
  },
  build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2_500 },
});

/**
 * Excalidraw asks for its fonts at run time, at `EXCALIDRAW_ASSET_PATH`: they are copied from the package. Behind that
 * it names a public server for every one of them, and before it embeds one in an SVG it loads what cuts it down, in a
 * worker. The build takes both out, and fails if it does not find them.
 */
function excalidrawFonts(): Plugin {
  const changes: readonly (readonly [RegExp, string])[] = [
    [/`https:\/\/esm\.sh\/\$\{.*?\}\/dist\/prod\/`/, '`$${window.location.origin}/`'],
    [/typeof Worker<"u"/, 'false'],
    [/\bfetch\((\w+),\{cache:"force-cache",headers:\{Accept:"font\/woff2"\}\}\)/, 'exportFonts.fetchFont($1)'],
    [/import\("\.\/subset-shared\.chunk\.js"\)/, 'Promise.resolve(exportFonts)'],
    [/import\("\.\/subset-worker\.chunk\.js"\)/, 'Promise.resolve(exportFonts)'],
  ];
  const exportFonts = `import * as exportFonts from ${JSON.stringify(join(root, 'src/board/export-fonts.ts'))};\n`;
  const made = new Set<RegExp>();
  return {
    name: 'excalidraw-fonts',
    apply: 'build',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('@excalidraw/excalidraw/dist')) return undefined;
      let changed = code;
      for (const [what, to] of changes) {
        if (!what.test(changed)) continue;
        changed = changed.replace(what, to);
        made.add(what);
      }
      return changed === code ? undefined : { code: exportFonts + changed, map: null };
    },
    async writeBundle() {
      const missing = changes.filter(([what]) => !made.has(what));
      if (missing.length > 0)
        throw new Error(`this Excalidraw has no ${missing.map(([what]) => what).join(' and no ')}`);
      const fonts = join(repository, 'node_modules/@excalidraw/excalidraw/dist/prod/fonts');
      await cp(fonts, join(outDir, 'fonts'), { recursive: true });
    },
  };
}
