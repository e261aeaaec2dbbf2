import { Module } from '@nestjs/common';
import { ClusterController } from './cluster.controller.js';
import { DocumentsController } from './documents.controller.js';
import { GuestsController } from './guests.controller.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

@Module({
  controllers: [ClusterController, DocumentsController, GuestsController, HealthController, MetricsController],
})
export class HttpModule {}
