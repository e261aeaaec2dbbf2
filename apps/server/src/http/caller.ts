import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Identity } from '@homeport/core';
import type { Request } from 'express';
import { Authenticator } from '../auth/authenticator.js';
import { Door } from '../door/door.js';
import { accepted, Refused } from './refused.js';

const callers = new WeakMap<Request, Identity>();

/** Lets bearers of a good token through, as often as a user may ask. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly door: Door,
  ) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<Request>();
    const { identity } = accepted(await this.authenticator.authenticate(bearerToken(request)));
    const tooMany = this.door.requestOf(identity.user);
    if (tooMany) throw new Refused(tooMany);
    callers.set(request, identity);
    return true;
  }
}

/** Who asks, behind a `BearerGuard`. */
export const Caller = createParamDecorator((_: undefined, context: ExecutionContext): Identity => {
  const identity = callers.get(context.switchToHttp().getRequest<Request>());
  if (!identity) throw new Error('a route with @Caller() needs the BearerGuard');
  return identity;
});

export function bearerToken(request: Request): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
