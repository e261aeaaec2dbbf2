import { defineConfig } from 'vitest/config';

const libs = ['protocol', 'core', 'postgres', 'redis', 'client', 'testkit'];

export default defineConfig({
  resolve: {
    alias: Object.fromEntries(
      libs.map((lib) => [`@homeport/${lib}`, new URL(`./libs/${lib}/src/index.ts`, import.meta.url).pathname]),
    ),
  },
  test: {
    include: ['{libs,apps,test}/**/*.spec.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
