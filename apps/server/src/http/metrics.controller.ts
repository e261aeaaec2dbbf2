import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { refuse } from '@homeport/protocol';
import type { Request, Response } from 'express';
import { Config, isLoopback } from '../config.js';
import { PrometheusProbe } from '../observe/prometheus-probe.js';
import { bearerToken } from './caller.js';
import { Refused } from './refused.js';

@ApiTags('health')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly config: Config,
    private readonly probe: PrometheusProbe,
  ) {}

  @Get()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Metrics for Prometheus; from other machines only with ADMIN_TOKEN' })
  async metrics(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { adminToken } = this.config;
    if (adminToken === undefined ? !isDirectAndLocal(request) : !isSame(bearerToken(request), adminToken))
      throw new Refused(refuse.unauthenticated('metrics are for who holds the ADMIN_TOKEN of this server'));
    response.type(this.probe.registry.contentType).send(await this.probe.registry.metrics());
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
