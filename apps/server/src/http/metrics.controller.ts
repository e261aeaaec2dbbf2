import { Controller, Get, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { PrometheusProbe } from '../observe/prometheus-probe.js';
import { AdminGuard } from './admin-guard.js';

@ApiTags('health')
@Controller('metrics')
@UseGuards(AdminGuard)
export class MetricsController {
  constructor(private readonly probe: PrometheusProbe) {}

  @Get()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Metrics for Prometheus; from other machines only with ADMIN_TOKEN' })
  async metrics(@Res() response: Response): Promise<void> {
    response.type(this.probe.registry.contentType).send(await this.probe.registry.metrics());
  }
}
