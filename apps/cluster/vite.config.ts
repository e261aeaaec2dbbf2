/** Builds the cluster page to `dist/apps/cluster`, with everything that it will ever ask for. */
import { join } from 'node:path';
import { defineConfig } from 'vite';

const root = import.meta.dirname;

export default defineConfig({
  root,
  base: '/cluster/',
  // The mark of the house comes with the whiteboard.
  publicDir: false,
  build: { outDir: join(root, '../../dist/apps/cluster'), emptyOutDir: true },
});
