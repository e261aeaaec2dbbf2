import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { refuse } from '@homeport/protocol';
import type { Request } from 'express';
import { Config, isLoopback } from '../config.js';
import { bearerToken } from './caller.js';
import { Refused } from './refused.js';

/** Lets through who looks after this server: whoever holds its ADMIN_TOKEN or, without one, whoever is on this machine. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(private readonly config: Config) {}

  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<Request>();
    const { adminToken } = this.config;
    if (adminToken === undefined ? isDirectAndLocal(request) : isSame(bearerToken(request), adminToken)) return true;
    throw new Refused(refuse.unauthenticated('this is for who holds the ADMIN_TOKEN of this server'));
  }
}

/** A proxy on this machine makes every caller look local, so what was forwarded is not. */
function isDirectAndLocal(request: Request): boolean {
  const peer = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const forwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in request.headers);
  return isLoopback(peer) && !forwarded;
}

/** In a time that tells nothing of where they differ. */
function isSame(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(expected));
}
