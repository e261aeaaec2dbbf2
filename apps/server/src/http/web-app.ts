import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { LIMITS } from '@homeport/protocol';
import type { NextFunction, Request, Response } from 'express';
import { pinoHttp } from 'pino-http';
import { AppModule } from '../app.module.js';
import type { Door } from '../door/door.js';
import { SharedIoAdapter } from '../gateway/shared-io-adapter.js';
import type { Home } from '../node/home.js';
import { nestLog } from '../observe/log.js';
import { IDEMPOTENCY_HEADER } from './idempotency.js';
import { secureHeaders, serveDocs, servePages } from './pages.js';
import { MIN_POSITION_HEADER, POSITION_HEADER } from './position-header.js';
import { RefusalFilter } from './refusal-filter.js';
import { Refused } from './refused.js';

/** The Nest application around a started home: HTTP and sockets on one port. It does not listen yet. */
export async function createWebApp(home: Home): Promise<NestExpressApplication> {
  const { address, log } = home;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.of(home), {
    logger: nestLog(log),
    bodyParser: false,
    abortOnError: false,
  });
  app.useWebSocketAdapter(new SharedIoAdapter(app, home.io));
  app.useGlobalFilters(new RefusalFilter(log));
  app.disable('x-powered-by');
  app.use(
    // Only what can not hold a secret: no headers, no query, no body.
    pinoHttp<Request, Response>({
      logger: log,
      serializers: {
        req: ({ method, url }: { method: string; url: string }) => ({ method, path: url.split('?', 1)[0] }),
        res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
      },
      customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? 'warn' : 'debug'),
    }),
    secureHeaders(address.origins),
  );
  app.enableCors({
    origin: [...address.origins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', IDEMPOTENCY_HEADER, MIN_POSITION_HEADER],
    exposedHeaders: [POSITION_HEADER, 'Retry-After'],
    maxAge: 600,
  });
  app.use(asOftenAsAllowed(home.door));
  app.use('/v1', noStore);
  app.useBodyParser('json', { limit: LIMITS.messageBytes, strict: true });
  servePages(app);
  serveDocs(app);
  return app;
}

/** Whoever asks whether this node is well is answered, also when somebody else at their address asks too much. */
function asOftenAsAllowed(door: Door) {
  return ({ path, socket }: Request, _response: Response, next: NextFunction): void => {
    const tooMany = path.startsWith('/health/') ? undefined : door.request(socket.remoteAddress);
    next(tooMany && new Refused(tooMany));
  };
}

function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.set('Cache-Control', 'no-store');
  next();
}
