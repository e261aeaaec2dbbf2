import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';

/** `dist/`, of which this file is a part once it is built. */
const BUILT = join(import.meta.dirname, '../../../..');
const WHITEBOARD = join(BUILT, 'apps/whiteboard');
const CLUSTER = join(BUILT, 'apps/cluster');
const CLIENT = join(BUILT, 'client/client.js');

/**
 * Pages load nothing from elsewhere and can not be framed. They connect to the origins that may connect to us: in a
 * cluster these are the other nodes. Inline styles are what Excalidraw and Swagger set; its fonts are subset by
 * WebAssembly in a worker when a drawing is exported.
 */
function contentSecurityPolicy(origins: ReadonlySet<string>): string {
  // A policy has no way to write an IPv6 address.
  const named = [...origins].filter((origin) => !origin.includes('['));
  const nodes = named.flatMap((origin) => [origin, origin.replace(/^http/, 'ws')]);
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    ["connect-src 'self' data: blob:", ...nodes].join(' '),
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Homeport</title>
<p>Homeport is running. Its pages are not built: <code>npm start</code> builds and serves them. See <a href="/docs">the HTTP interface</a>.`;

export function secureHeaders(origins: ReadonlySet<string>) {
  const headers = {
    'Content-Security-Policy': contentSecurityPolicy(origins),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
  return (_request: Request, response: Response, next: NextFunction): void => {
    response.set(headers);
    next();
  };
}

/** The whiteboard at `/` and `/board/:id`, the cluster page, and the client for pages without a bundler at `/client.js`. */
export function servePages(app: NestExpressApplication): void {
  const pages = app.getHttpAdapter().getInstance();
  const indexOf = (root: string) => (_request: Request, response: Response) => {
    response.set('Cache-Control', 'no-cache');
    if (existsSync(join(root, 'index.html'))) response.sendFile('index.html', { root });
    else response.type('html').send(NOT_BUILT);
  };
  pages.get('/', indexOf(WHITEBOARD));
  pages.get('/board/:id', indexOf(WHITEBOARD));
  pages.get('/cluster', indexOf(CLUSTER));
  pages.get('/client.js', (_request: Request, response: Response, next: NextFunction) => {
    if (existsSync(CLIENT)) response.sendFile(CLIENT);
    else next();
  });
  // Vite names these files after their content.
  const named = { immutable: true, maxAge: '1y', index: false } as const;
  app.useStaticAssets(join(WHITEBOARD, 'assets'), { prefix: '/assets', ...named });
  app.useStaticAssets(join(CLUSTER, 'assets'), { prefix: '/cluster/assets', ...named });
  app.useStaticAssets(WHITEBOARD, { index: false });
}

/** The OpenAPI page; its scripts are ours, and nobody is asked to validate it. */
export function serveDocs(app: NestExpressApplication): void {
  const about = new DocumentBuilder()
    .setTitle('Homeport')
    .setDescription('Documents over HTTP. The live side is Socket.IO: docs/protocol.md.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, about), {
    customSiteTitle: 'Homeport HTTP',
    jsonDocumentUrl: 'docs/openapi.json',
    raw: ['json'],
    swaggerOptions: { validatorUrl: null },
  });
}
