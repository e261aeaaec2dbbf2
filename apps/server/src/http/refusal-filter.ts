import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { LIMITS, refuse } from '@homeport/protocol';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { Refused } from './refused.js';

const RETRY_AFTER_MS = 1_000;

/** Whatever goes wrong in a request is answered as a refusal; what nobody expected is logged, and told to nobody else. */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const refused = this.#refusedOf(error);
    if (refused.retryAfterMs !== undefined)
      response.set('Retry-After', String(Math.ceil(refused.retryAfterMs / 1_000)));
    if (refused.getStatus() === 401) response.set('WWW-Authenticate', 'Bearer');
    response.status(refused.getStatus()).json(refused.refusal);
  }

  #refusedOf(error: unknown): Refused {
    if (error instanceof Refused) return error;
    const status = statusOf(error);
    if (status === 413)
      return new Refused(refuse.tooLarge('messageBytes', `a request takes at most ${LIMITS.messageBytes} bytes`));
    if (status === 404)
      return new Refused(refuse.invalid('', 'there is nothing at this address: /docs lists what is'), 404);
    if (status !== undefined && status >= 400 && status < 500)
      return new Refused(
        refuse.invalid('', error instanceof Error ? error.message : 'the request is not valid'),
        status,
      );
    this.log.error(error, 'a request failed');
    return new Refused(refuse.unavailable('the request failed', RETRY_AFTER_MS), 500);
  }
}

/** Nest's exceptions and those of Express' body parser both carry one. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { status?: unknown } | null | undefined)?.status;
  return typeof status === 'number' ? status : undefined;
}
