import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HomeNode } from '@homeport/core';
import { refuse } from '@homeport/protocol';
import { Refused } from './refused.js';

const RETRY_AFTER_MS = 1_000;

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly node: HomeNode) {}

  @Get('live')
  @ApiOperation({ summary: 'Whether the process answers; if not, restart it' })
  live() {
    return { ok: true };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether clients should be sent here' })
  ready() {
    const { state } = this.node;
    if (state !== 'serving') throw new Refused(refuse.unavailable(`this node is ${state}`, RETRY_AFTER_MS));
    return { ok: true };
  }
}
