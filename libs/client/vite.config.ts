/** Builds the SDK with all that it needs to `dist/client/client.js`: one module for pages without a bundler. */
import { join } from 'node:path';
import { defineConfig } from 'vite';

const repository = join(import.meta.dirname, '../..');

export default defineConfig({
  root: repository,
  publicDir: false,
  resolve: { alias: { '@homeport/protocol': join(repository, 'libs/protocol/src/index.ts') } },
  build: {
    outDir: join(repository, 'dist/client'),
    emptyOutDir: true,
    target: 'es2022',
    lib: { entry: join(repository, 'libs/client/src/index.ts'), formats: ['es'], fileName: () => 'client.js' },
  },
});
