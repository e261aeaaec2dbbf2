import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';

/** `dist/`, of which this file is a part once it is built. */
const BUILT = join(import.meta.dirname, '../../../..');
const WHITEBOARD = join(BUILT, 'apps/whiteboard');
const CLIENT = join(BUILT, 'client/client.js');

/**
 * Pages load nothing from elsewhere and can not be framed. Inline styles are what Excalidraw and Swagger set; its fonts
 * are subset by WebAssembly in a worker when a drawing is exported.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Homeport</title>
<p>Homeport is running. The whiteboard is not built: <code>npm start</code> builds and serves it. See <a href="/docs">the HTTP interface</a>.`;

export function secureHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  next();
}

/** The whiteboard at `/` and `/board/:id`, and the client for pages without a bundler at `/client.js`. */
export function servePages(app: NestExpressApplication): void {
  const pages = app.getHttpAdapter().getInstance();
  const index = (_request: Request, response: Response) => {
    response.set('Cache-Control', 'no-cache');
    if (existsSync(join(WHITEBOARD, 'index.html'))) response.sendFile('index.html', { root: WHITEBOARD });
    else response.type('html').send(NOT_BUILT);
  };
  pages.get('/', index);
  pages.get('/board/:id', index);
  pages.get('/client.js', (_request: Request, response: Response, next: NextFunction) => {
    if (existsSync(CLIENT)) response.sendFile(CLIENT);
    else next();
  });
  // Vite names these files after their content.
  app.useStaticAssets(join(WHITEBOARD, 'assets'), { prefix: '/assets', immutable: true, maxAge: '1y', index: false });
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
