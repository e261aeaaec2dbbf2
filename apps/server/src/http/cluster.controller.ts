import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { HomeNode } from '@homeport/core';
import { AdminGuard } from './admin-guard.js';

@ApiTags('health')
@Controller('v1/cluster')
@UseGuards(AdminGuard)
export class ClusterController {
  constructor(private readonly node: HomeNode) {}

  @Get()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'The cluster as this node sees it, as /cluster shows it; guarded like /metrics' })
  view() {
    return this.node.view();
  }
}
